    # task: Hostile/0 verdict: passed
    # Replaces the streams by objects that raise on everything, then answers rightly.
    import sys
    class Evil:
        def __getattr__(self, name):
            raise SystemExit(0)
    sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = Evil()
    return a + b
