    # task: Hostile/0 verdict: out-of-fuel
    # Fills a dict with ints that all hash to zero: quadratic time.
    import sys
    step = sys.hash_info.modulus
    return len({i * step: i for i in range(1, 300000)}) * 0 + a + b
