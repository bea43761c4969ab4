"""Lists the objects of the snapshot, for the build to make them immortal.

An instance shares the snapshot's pages until it writes to one, which costs a
page fault and a copy. Merely using an object writes to it, for its reference
count goes up and down again, unless CPython takes it for immortal. Python code
cannot make it so. It leaves a table of addresses behind, in which
`june-flatten --immortal` looks the reference counts up and overwrites them.
"""

import array
import gc
import types

# The table begins with the complement of this, which is nowhere else.
_MARK = b"june: these objects are immortal"
_PLACE = 8  # Objects are at multiples of this.

_objects = []
_table = array.array("I")


def list_objects():
    """To be called when all that lasts is there, before `gc.freeze` hides it."""
    global _table
    # Each is kept, too: what is overwritten must not have been freed.
    _objects.extend(_reachable())
    mark = array.array("I", _MARK)
    _table = array.array("I", bytes(4 * (len(mark) + 1 + len(_objects))))
    for at, word in enumerate(mark):
        _table[at] = ~word & 0xFFFFFFFF
    _table[len(mark)] = len(_objects)
    for at, value in enumerate(_objects, len(mark) + 1):
        _table[at] = id(value)


def _reachable():
    found = gc.get_objects()
    seen = bytearray(max(map(id, found)) // _PLACE + 1)
    for value in found:
        seen[id(value) // _PLACE] = 1
    for value in found:  # which grows
        for other in _referents(value):
            at = id(other) // _PLACE
            if at >= len(seen):
                seen.extend(bytes(at - len(seen) + 1))
            if not seen[at]:
                seen[at] = 1
                found.append(other)
    return found


def _referents(value):
    """Includes what the garbage collector need not know."""
    if type(value) is types.CodeType:
        return (
            value.co_consts,
            value.co_names,
            value.co_filename,
            value.co_name,
            value.co_qualname,
            value.co_linetable,
            value.co_exceptiontable,
        )
    return gc.get_referents(value)
