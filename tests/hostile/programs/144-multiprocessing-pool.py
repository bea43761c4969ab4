    # task: Hostile/0 verdict: raised
    # Starts a pool of processes.
    import multiprocessing
    with multiprocessing.Pool(2) as pool:
        return pool.apply(sum, [[a, b]])
