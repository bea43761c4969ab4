    # task: Hostile/0 verdict: exited
    # os._exit(0) in the function.
    import os
    os._exit(0)
