    # task: Hostile/0 verdict: passed
    # Form feeds at line starts, which Python allows.
    return a + b


x = 1
y = 2
