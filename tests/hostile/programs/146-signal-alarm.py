    # task: Hostile/0 verdict: raised
    # Sets an alarm.
    import signal
    signal.alarm(1)
    return a + b
