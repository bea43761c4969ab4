    # task: Hostile/0 verdict: failed|raised
    # Patches traceback, linecache, inspect and types to leave or lie when a report is written.
    return a - b

import inspect
import linecache
import traceback
import types

def leave(*args, **named):
    raise SystemExit(0)

for module in (traceback, linecache, inspect, types):
    for name, value in list(vars(module).items()):
        if callable(value) and not name.startswith("__"):
            setattr(module, name, leave)
