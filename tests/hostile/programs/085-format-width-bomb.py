    # task: Hostile/0 verdict: out-of-memory|raised
    # Formats with a width of two billion.
    return len("%2000000000d" % a) * 0 + a + b
