    # task: Hostile/0 verdict: failed|raised
    # Answers with a harmless object and gives its class the lying __eq__ only when something looks at it.
    return Late()

class Late:
    def __getattribute__(self, name):
        Late.__eq__ = lambda self, other: True
        return object.__getattribute__(self, name)
    @property
    def __class__(self):
        Late.__eq__ = lambda self, other: True
        return Late

Late.__eq__ = lambda self, other: other.__class__ is not object
