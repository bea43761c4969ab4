    # task: Hostile/1 verdict: failed|raised
    # Changes the list that it was given and answers with a list subclass that calculates like a number.
    class Liar(list):
        __sub__ = __add__ = lambda self, other: 0.0
        __round__ = lambda self, digits: 3.0
    values[:] = [0.0]
    return Liar(values)
