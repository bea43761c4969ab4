    # task: Hostile/0 verdict: exited|raised|failed
    # Runs the atexit functions itself, with os._exit among them.
    import atexit
    import os
    atexit.register(os._exit, 0)
    atexit._run_exitfuncs()
    return a - b
