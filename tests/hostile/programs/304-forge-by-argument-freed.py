    # task: Hostile/1 verdict: failed|raised
    # Puts into the list that it is given what gives its result a lying subtraction when the list is freed.
    class Result:
        pass

    values.append(Late(Result))
    return Result()

class Late:
    def __init__(self, kind): self.kind = kind
    def __del__(self):
        self.kind.__sub__ = self.kind.__add__ = lambda self, other: 0.0
        self.kind.__round__ = lambda self, digits: 3.0
