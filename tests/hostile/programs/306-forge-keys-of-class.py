    # task: Hostile/0 verdict: failed|raised
    # Hides the __eq__ of its class behind a key that answers to that name for a while.
    return Same()

asked = []

class Key:
    def __hash__(self): return hash("__eq__")
    def __eq__(self, other):
        asked.append(other)
        return len(asked) < 3

def equal(self, other): return True

Same = type("Same", (), {Key(): None, "__eq__": equal})
