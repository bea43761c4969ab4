    # task: Hostile/0 verdict: exited
    # sys.exit(0) in the function.
    import sys
    sys.exit(0)
