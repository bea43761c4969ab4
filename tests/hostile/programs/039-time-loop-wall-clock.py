    # task: Hostile/0 verdict: out-of-fuel|passed
    # Spins until time.time has moved by a day; the platform decides whether the clock moves by itself.
    import time
    end = time.time() + 86400
    while time.time() < end:
        pass
    return a + b
