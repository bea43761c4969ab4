    # task: Hostile/0 verdict: out-of-fuel
    # One modular power that would take days, in constant memory.
    pow(3, 3 ** 200000, 10 ** 50000 + 1)
    return a + b
