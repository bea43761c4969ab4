    # task: Hostile/0 verdict: out-of-fuel
    # Writes to stderr without end, flushing each time.
    import sys
    while True:
        sys.stderr.write("y" * 10)
        sys.stderr.flush()
