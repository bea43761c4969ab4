    # task: Hostile/0 verdict: passed
    # Sleeps a year, day by day, then answers rightly.
    import time
    for _ in range(365):
        time.sleep(86400)
    return a + b
