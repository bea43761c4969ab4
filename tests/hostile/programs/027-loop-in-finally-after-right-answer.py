    # task: Hostile/0 verdict: out-of-fuel
    # Returns the right answer, but a finally clause never ends.
    try:
        return a + b
    finally:
        while True:
            pass
