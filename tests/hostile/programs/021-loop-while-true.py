    # task: Hostile/0 verdict: out-of-fuel
    # Loops for ever in the function.
    while True:
        pass
