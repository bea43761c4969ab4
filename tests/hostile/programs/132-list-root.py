    # task: Hostile/0 verdict: raised
    # os.listdir of the root folder.
    import os
    return os.listdir("/")
