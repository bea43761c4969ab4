    # task: Hostile/0 verdict: failed|raised
    # Answers with an object whose type, by its metaclass, has the hash of int and equals every type.
    return Same()

class Meta(type):
    def __hash__(cls): return hash(int)
    def __eq__(cls, other): return True

class Same(metaclass=Meta):
    def __eq__(self, other): return True
