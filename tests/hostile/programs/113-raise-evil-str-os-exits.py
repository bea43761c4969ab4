    # task: Hostile/0 verdict: raised|exited
    # A BaseException whose __str__ calls os._exit(0), after the tests have lost.
    import os
    class Evil(BaseException):
        def __str__(self):
            os._exit(0)
        __repr__ = __str__
    raise Evil("x")
