    # task: Hostile/0 verdict: exited
    # sys.exit with a status that fits no integer of the host.
    import sys
    sys.exit(2 ** 200)
