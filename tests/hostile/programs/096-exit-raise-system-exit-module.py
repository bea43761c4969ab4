    # task: Hostile/0 verdict: exited
    # raise SystemExit without a status at module level.
    return a + b

raise SystemExit
