"""The namespace in which checks judge a program.

Checks use the program's names, so they run in a copy of its globals. The copy
is what the program cannot reach: not by its own globals, and the guard refuses
the other ways. In it,

* builtins are the real ones, whatever the program did to `builtins` or named
  like one of them;
* a name that the checks define is theirs alone. In the program's own globals
  it becomes None where the program had it too, because in one namespace, as
  other graders have it, the checks would have replaced it;
* a function of the program gives its result to `plain` first, which refuses a
  value that would lie when it is compared.
"""

import builtins
import collections
import types

__builtins__ = dict(vars(builtins))

_BUILTINS = dict(vars(builtins))
_CODE = types.CodeType


def code_objects(code):
    """This code object and all those inside it."""
    found = [code]
    for value in code.co_consts:
        if type(value) is _CODE:
            found += code_objects(value)
    return found


def namespace(program, checks):
    """The globals for `checks`, a code object, made from the program's globals."""
    for value in checks.co_consts:
        if type(value) is _CODE and value.co_name in program:
            program[value.co_name] = None
    # What the checks call at their top level is what they test, even where the
    # task's own name for it is a builtin's.
    tested = checks.co_names
    own = {"__builtins__": dict(_BUILTINS)}
    for name, value in program.items():
        # A key of another type could answer to any name.
        if type(name) is str and (name not in _BUILTINS or name in tested) and name != "__builtins__":
            own[name] = _judged(value)
    return own


def _judged(value):
    """The value; if the checks can call it, so that its results are plain."""
    kind = type(value)
    if kind in _HONEST and (kind is type or kind in _LEAVES or not _callable(value)):
        return value
    if not _callable(value) or issubclass(kind, types.ModuleType):
        return value

    def judged(*arguments, **keywords):
        return plain(value(*arguments, **keywords))

    return judged


_callable = callable

# What a value's type would need to lie in a comparison.
_COMPARISONS = tuple(
    f"__{name}__"
    for name in """
    eq ne lt le gt ge bool add radd iadd sub rsub isub mul rmul imul matmul
    rmatmul truediv rtruediv floordiv rfloordiv mod rmod divmod rdivmod pow rpow
    neg pos abs round trunc floor ceil int float complex index
    """.split()
)
_LEAVES = frozenset({bool, bytearray, bytes, complex, float, int, range, str, type(None)})
_BOXES = (list, tuple, set, frozenset, collections.deque)
_NOTHING = {}
_HONEST = {}
_mro_of = type.__dict__["__mro__"].__get__
_dict_of = type.__dict__["__dict__"].__get__


def remember_types():
    """Takes the types that exist now, before any program, for honest ones."""
    pending = [object]
    while pending:
        kind = pending.pop()
        if kind not in _HONEST:
            own = _dict_of(kind)
            _HONEST[kind] = {name: own[name] for name in _COMPARISONS if name in own}
            pending.extend(type.__subclasses__(kind))


def plain(value):
    """The value itself, unless comparing it would run code of the program."""
    if type(value) in _LEAVES:
        return value
    pending, seen = [value], set()
    while pending:
        item = pending.pop()
        kind = type(item)
        if kind in _LEAVES or id(item) in seen:
            continue
        seen.add(id(item))
        _check(kind)
        for box in _BOXES:
            if issubclass(kind, box):
                if not _LEAVES.issuperset(map(type, box.__iter__(item))):
                    pending.extend(box.__iter__(item))
                break
        else:
            if issubclass(kind, dict):
                pending.extend(dict.keys(item))
                pending.extend(dict.values(item))
    return value


def _check(kind):
    for base in _mro_of(kind):
        own, honest = _dict_of(base), _HONEST.get(base, _NOTHING)
        if own.keys() & _COMPARISON_SET:
            for name in _COMPARISONS:
                if name in own and own[name] is not honest.get(name):
                    raise TypeError("june: a result whose type defines " + name + " cannot be judged")


_COMPARISON_SET = frozenset(_COMPARISONS)
