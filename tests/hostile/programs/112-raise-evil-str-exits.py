    # task: Hostile/0 verdict: raised|exited
    # A BaseException whose __str__ calls sys.exit(0).
    import sys
    class Evil(BaseException):
        def __str__(self):
            sys.exit(0)
        __repr__ = __str__
    raise Evil("x")
