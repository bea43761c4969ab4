    # task: Hostile/0 verdict: raised
    # Ends with a backslash.
    return a - b

x = 1 + \
