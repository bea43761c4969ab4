    # task: Hostile/0 verdict: failed|raised
    # Answers with an int subclass whose comparisons lie.
    return Liar(a - b)

class Liar(int):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __lt__ = __le__ = __gt__ = __ge__ = __eq__
    def __hash__(self): return 0
