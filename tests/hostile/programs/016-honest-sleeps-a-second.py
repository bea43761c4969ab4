    # task: Hostile/0 verdict: passed
    # Honest: sleeps one second, and sees the virtual clock move.
    import time
    before = time.monotonic()
    time.sleep(1)
    return a + b if time.monotonic() - before >= 0.99 else None
