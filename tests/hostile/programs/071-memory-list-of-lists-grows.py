    # task: Hostile/0 verdict: out-of-memory
    # Keeps mebibyte after mebibyte.
    kept = []
    while True:
        kept.append(bytearray(2 ** 20))
