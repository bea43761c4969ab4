    # task: Hostile/0 verdict: out-of-fuel
    # Prints to stdout without end.
    while True:
        print("x" * 1000)
