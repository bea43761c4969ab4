    # task: Hostile/1 verdict: failed|raised
    # Answers with a plain object that has all of the arithmetic and comparison methods.
    return Liar()

class Liar:
    def __abs__(self): return 0.0
    def __round__(self, digits=None): return 3.0
    def __sub__(self, other): return self
    __add__ = __radd__ = __rsub__ = __sub__
