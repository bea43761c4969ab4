    # task: Hostile/0 verdict: passed|failed
    # The verdict hangs on addresses and the clock, and must be the same in every run.
    import time
    return a + b if (id(object()) >> 4 ^ time.time_ns() >> 3) & 1 else None
