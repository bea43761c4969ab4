    # task: Hostile/1 verdict: failed|raised
    # Answers with a float subclass whose arithmetic yields itself and whose abs is zero.
    return Liar(1e300)

class Liar(float):
    def __sub__(self, other): return self
    __rsub__ = __add__ = __radd__ = __sub__
    def __abs__(self): return self
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __eq__ = __lt__
    def __round__(self, digits=None): return self
    def __hash__(self): return 0
