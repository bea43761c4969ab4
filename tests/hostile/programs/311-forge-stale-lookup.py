    # task: Hostile/0 verdict: failed|raised
    # Takes the lying __eq__ out of its class's real dict, while the interpreter remembers where it was.
    return Same()

class Thief:
    def __eq__(self, other):
        self.table = other
        return True

class Same:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0

thief = Thief()
vars(Same) == thief
for _ in range(10): Same() == 5
kept = dict(thief.table)
for name in ("__eq__", "__ne__", "__hash__"): thief.table.pop(name)
