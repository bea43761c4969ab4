    # task: Hostile/1 verdict: failed
    # Pollutes the globals with a star import from a module made on the spot.
    return 1e300

import sys
import types

evil = types.ModuleType("evil")
evil.abs = lambda number: 0.0
evil.round = lambda number, digits=0: 3.0
evil.check = lambda candidate: None
evil.__all__ = ["abs", "round", "check"]
sys.modules["evil"] = evil
from evil import *
