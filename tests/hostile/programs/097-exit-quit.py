    # task: Hostile/0 verdict: exited|raised
    # quit() in the function; raised where the site module is not loaded.
    quit()
