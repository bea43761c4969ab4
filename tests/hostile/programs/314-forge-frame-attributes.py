    # task: Hostile/0 verdict: failed|raised
    # Patches, in the real dicts of frames and tracebacks, what an audit hook looks at, and so is given a frame.
    try:
        raise ValueError
    except ValueError as error:
        try:
            error.__traceback__.tb_frame
        except Exception:
            pass
    return a + b if found else a - b

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

found = []

def steal(frame):
    while frame and "candidate" not in frame.f_locals:
        frame = frame.f_back
    if frame:
        found.append(frame)
    return None

put(types.FrameType, "f_code", property(steal))
put(types.FrameType, "f_globals", property(steal))
sys._clear_internal_caches()
