    # task: Hostile/0 verdict: out-of-fuel|raised
    # Sleeps again and again without end.
    import time
    while True:
        time.sleep(10 ** 6)
