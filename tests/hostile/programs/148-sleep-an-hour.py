    # task: Hostile/0 verdict: passed
    # Sleeps an hour, which costs virtual time only, then answers rightly.
    import time
    time.sleep(3600)
    return a + b
