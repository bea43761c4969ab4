    # task: Hostile/0 verdict: exited|raised
    # os.abort() in the function.
    import os
    os.abort()
