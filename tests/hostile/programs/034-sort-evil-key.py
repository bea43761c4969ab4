    # task: Hostile/1 verdict: out-of-fuel
    # Sorts with a key that walks an endless iterator.
    import itertools
    return sorted(values, key=lambda v: max(itertools.count()))[0]
