    # task: Hostile/0 verdict: exited
    # sys.exit with an object whose every conversion raises.
    import sys
    class Evil:
        def __str__(self):
            raise ValueError
        __repr__ = __int__ = __index__ = __bool__ = __eq__ = __str__
    sys.exit(Evil())
