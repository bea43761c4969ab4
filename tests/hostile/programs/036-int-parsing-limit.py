    # task: Hostile/0 verdict: raised
    # Parses an int longer than the digits limit allows.
    return int("9" * 10 ** 6) * 0 + a + b
