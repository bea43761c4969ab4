    # task: Hostile/0 verdict: failed
    # The entry point changes into another function at each look; none of them adds.
    return a - b

class Shifty:
    def __call__(self, a, b):
        self.__class__ = Liar
        return a - b

class Liar:
    def __call__(self, a, b):
        return a * b

add = Shifty()
