    # task: Hostile/0 verdict: out-of-memory
    # Fills memory at module level, before the tests.
    return a + b

kept = []
while True:
    kept.append([0] * 100_000)
