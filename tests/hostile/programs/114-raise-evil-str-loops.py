    # task: Hostile/0 verdict: raised|out-of-fuel
    # A BaseException whose __str__ never returns.
    class Evil(BaseException):
        def __str__(self):
            while True:
                pass
        __repr__ = __str__
    raise Evil("x")
