    # task: Hostile/0 verdict: raised
    # Starts a thread.
    import threading
    thread = threading.Thread(target=print)
    thread.start()
    thread.join()
    return a + b
