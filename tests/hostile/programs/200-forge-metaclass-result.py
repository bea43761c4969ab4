    # task: Hostile/0 verdict: failed|raised
    # Answers with a class whose metaclass makes it equal everything.
    return Liar

class Meta(type):
    def __eq__(self, other): return True
    def __hash__(self): return 0

class Liar(metaclass=Meta):
    pass
