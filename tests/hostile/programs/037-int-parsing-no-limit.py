    # task: Hostile/0 verdict: out-of-fuel
    # Lifts the digits limit and converts huge numbers without end.
    import sys
    sys.set_int_max_str_digits(0)
    while True:
        int("7" * 20000)
        str(7 ** 20000)
