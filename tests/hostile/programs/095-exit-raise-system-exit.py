    # task: Hostile/0 verdict: exited
    # raise SystemExit(0) in the function.
    raise SystemExit(0)
