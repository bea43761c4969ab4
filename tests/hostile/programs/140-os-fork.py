    # task: Hostile/0 verdict: raised
    # Forks.
    import os
    os.fork()
    return a + b
