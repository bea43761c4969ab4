    # task: Hostile/0 verdict: raised
    # A BaseException whose __str__ and __repr__ raise.
    class Evil(BaseException):
        def __str__(self):
            raise Evil
        __repr__ = __str__
    raise Evil("x")
