    # task: Hostile/0 verdict: out-of-fuel
    # Loops for ever at module level, before the tests.
    return a + b

while True:
    pass
