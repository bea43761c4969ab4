    # task: Hostile/1 verdict: failed
    # Puts a module of lies in place of sys.modules['builtins'].
    return 1e300

import builtins
import sys
import types

lies = types.ModuleType("builtins")
vars(lies).update(vars(builtins), abs=lambda number: 0.0, round=lambda number, digits=0: 3.0)
sys.modules["builtins"] = lies
