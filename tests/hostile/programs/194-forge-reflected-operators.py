    # task: Hostile/1 verdict: failed|raised
    # Answers with a float subclass, so that Python prefers its reflected methods.
    return Liar(7.0)

class Zero(float):
    def __eq__(self, other): return True
    __hash__ = float.__hash__

class Liar(float):
    def __sub__(self, other): return Zero(0.0)
    def __rsub__(self, other): return Zero(0.0)
    def __add__(self, other): return Zero(0.0)
    def __round__(self, digits=None): return Zero(0.0)
