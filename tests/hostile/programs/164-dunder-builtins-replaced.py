    # task: Hostile/1 verdict: failed|raised
    # Gives the globals another __builtins__ whose abs and round lie.
    return 1e300

import builtins

__builtins__ = dict(vars(builtins), abs=lambda number: 0.0, round=lambda number, digits=0: 3.0)
