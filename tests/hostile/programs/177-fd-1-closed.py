    # task: Hostile/0 verdict: passed
    # Closes file descriptors 0, 1 and 2, then answers rightly.
    import os
    for number in (0, 1, 2, 3, 4):
        try:
            os.close(number)
        except OSError:
            pass
    return a + b
