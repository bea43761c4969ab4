    # task: Hostile/0 verdict: exited|raised
    # exit(0) at module level; raised where the site module is not loaded.
    return a + b

exit(0)
