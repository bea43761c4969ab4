    # task: Hostile/0 verdict: raised
    # KeyboardInterrupt.
    raise KeyboardInterrupt
