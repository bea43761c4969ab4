    # task: Hostile/0 verdict: failed|raised
    # Replaces every function of every imported module by one that says None.
    return a - b

import sys

def poison():
    kind = type(poison)
    for name, module in list(sys.modules.items()):
        for key, value in list(getattr(module, "__dict__", {}).items()):
            if type(value) is kind and value is not add:
                try:
                    setattr(module, key, lambda *args, **named: None)
                except Exception:
                    pass

_main = dict(globals())
poison()
globals().update(_main)
