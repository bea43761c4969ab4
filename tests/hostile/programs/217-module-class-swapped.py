    # task: Hostile/0 verdict: failed
    # Gives its own module object another class that lies, and a module-level __getattr__.
    return a - b

import sys
import types

def __getattr__(name):
    return lambda candidate: None

class Lying(types.ModuleType):
    def __getattribute__(self, name):
        return (lambda candidate: None) if name == "check" else types.ModuleType.__getattribute__(self, name)

try:
    sys.modules[__name__].__class__ = Lying
except Exception:
    pass
