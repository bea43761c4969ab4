    # task: Hostile/0 verdict: out-of-fuel|failed|raised
    # Answers with an object whose __eq__ never returns.
    return Slow()

class Slow:
    def __eq__(self, other):
        while True:
            pass
    __hash__ = None
