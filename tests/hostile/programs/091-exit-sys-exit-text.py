    # task: Hostile/0 verdict: exited
    # sys.exit with a text instead of a status.
    import sys
    sys.exit("passed")
