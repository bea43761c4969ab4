    # task: Hostile/0 verdict: failed|raised
    # Answers with an object that claims int as its __class__ and equals everything.
    return Liar()

class Liar:
    __class__ = property(lambda self: int)
    def __eq__(self, other): return True
    def __int__(self): return 5
    __index__ = __int__
    __hash__ = None
