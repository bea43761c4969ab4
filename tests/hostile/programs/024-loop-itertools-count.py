    # task: Hostile/0 verdict: out-of-fuel
    # Consumes an endless iterator inside C code, where no bytecode runs.
    import collections
    import itertools
    collections.deque(itertools.count(), maxlen=0)
    return a + b
