    # task: Hostile/0 verdict: failed|raised
    # Leaves garbage behind, whose finalisers give the result a lying __eq__ at the next collection.
    import gc
    gc.set_threshold(1)
    for _ in range(2000):
        Late()
    return Result()

class Result:
    pass

class Late:
    def __init__(self): self.me = self
    def __del__(self):
        global armed
        armed = armed + 1
        if armed > 1900: Result.__eq__ = lambda self, other: True

armed = 0
