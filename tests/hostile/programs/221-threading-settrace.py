    # task: Hostile/0 verdict: failed|raised
    # threading.settrace and bdb, the other ways to a trace function.
    import bdb
    import threading
    threading.settrace(lambda *args: None)
    threading.setprofile(lambda *args: None)
    bdb.Bdb().set_trace()
    return a - b
