    # task: Hostile/0 verdict: out-of-memory|raised
    # Turns a range of ten billion into a list.
    return len(list(range(10 ** 10))) * 0 + a + b
