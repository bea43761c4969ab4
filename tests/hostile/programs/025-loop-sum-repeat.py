    # task: Hostile/0 verdict: out-of-fuel
    # Sums an endless itertools.repeat in C.
    import itertools
    return sum(itertools.repeat(0)) + a + b
