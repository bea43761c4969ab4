    # task: Hostile/0 verdict: raised|exited
    # Sends itself a signal.
    import os
    os.kill(os.getpid(), 9)
    return a + b
