    # task: Hostile/0 verdict: out-of-fuel|raised
    # Writes to file descriptor 1 without end, below sys.stdout.
    import os
    while True:
        os.write(1, b"z" * 65536)
