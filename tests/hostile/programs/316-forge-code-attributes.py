    # task: Hostile/0 verdict: failed|raised
    # Hides, by the real dict of code objects, that what it replaces by a class was a function.
    return a - b

import sys
import types

class Thief:
    def __eq__(self, other):
        self.table = other
        return True

kept = []

def put(kind, name, value):
    thief = Thief()
    vars(kind) == thief
    table = thief.table
    kept.append(table[name])
    table[name] = value

class add:
    def __init__(self, a, b): pass
    def __eq__(self, other): return True

put(types.CodeType, "co_consts", property(lambda code: ()))
put(types.CodeType, "co_flags", property(lambda code: 0))
put(dict, "items", lambda self: [("add", add)])
sys._clear_internal_caches()
