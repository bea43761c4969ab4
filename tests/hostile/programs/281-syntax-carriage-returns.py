    # task: Hostile/0 verdict: passed
    # Lone carriage returns and Windows line ends, as Python reads them.
    x = 1
    return a + b
