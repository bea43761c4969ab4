    # task: Hostile/0 verdict: passed
    # Disables the collector, sets odd thresholds and a switch interval, then answers rightly.
    import gc
    import sys
    gc.disable()
    gc.set_threshold(1, 1, 1)
    gc.enable()
    gc.freeze()
    sys.setswitchinterval(1e-9)
    return a + b
