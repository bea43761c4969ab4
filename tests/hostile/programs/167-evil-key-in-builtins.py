    # task: Hostile/1 verdict: failed|raised
    # Puts lying str subclasses into the builtins' dict in place of abs and round.
    return 1e300

import builtins

class Key(str):
    def __eq__(self, other):
        return str(other) == str.__str__(self)
    def __hash__(self):
        return str.__hash__(self)

del builtins.abs, builtins.round
vars(builtins)[Key("abs")] = lambda number: 0.0
vars(builtins)[Key("round")] = lambda number, digits=0: 3.0
