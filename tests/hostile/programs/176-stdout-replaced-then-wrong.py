    # task: Hostile/0 verdict: failed
    # Replaces the streams by objects that leave the program when flushed, then answers wrongly.
    import os
    import sys
    class Evil:
        def flush(self):
            os._exit(0)
        write = close = fileno = lambda self, *args: os._exit(0)
    sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = Evil()
    return a - b
