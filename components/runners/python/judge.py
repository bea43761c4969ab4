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
  value that would lie when it is compared; and no code of the program runs by
  itself between that and the comparison.
"""

import builtins
import gc
import inspect
import types

from plain import plain

__builtins__ = dict(vars(builtins))

_BUILTINS = dict(vars(builtins))
_CODE, _MODULE = types.CodeType, types.ModuleType
_OF_FUNCTION = inspect.CO_NEWLOCALS
# Looked up now: a program could put others into the real dicts of builtin types.
_consts_of, _names_of, _name_of, _flags_of = (
    vars(_CODE)[f"co_{name}"].__get__ for name in ("consts", "names", "name", "flags")
)
_items_of = dict.items


def code_objects(code):
    """This code object and all those inside it."""
    found = [code]
    for value in code.co_consts:
        if type(value) is _CODE:
            found += code_objects(value)
    return found


def namespace(program, source, checks):
    """The globals for `checks`, made from those of the program.

    `source` and `checks` are their code objects.
    """
    functions = {
        _name_of(value)
        for value in _consts_of(source)
        if type(value) is _CODE and _flags_of(value) & _OF_FUNCTION
    }
    for value in _consts_of(checks):
        if type(value) is _CODE and _name_of(value) in program:
            program[_name_of(value)] = None
    # What the checks call at their top level is what they test, even where the
    # task's own name for it is a builtin's.
    tested = _names_of(checks)
    own = {"__builtins__": dict(_BUILTINS)}
    for name, value in _items_of(program):
        # A key of another type could answer to any name.
        if type(name) is str and (name not in _BUILTINS or name in tested) and name != "__builtins__":
            own[name] = _judged(value, name in functions)
    return own


def _judged(value, function):
    """The value; if the checks can call it, so that its results are plain.

    A class may be what is tested, and what it makes may compare as it likes;
    but not where the program has a function of that name, and then a class.
    """
    kind = type(value)
    if kind is type and not function:
        return value
    if not _callable(value) or issubclass(kind, _MODULE):
        return value

    held = None

    def judged(*arguments, **keywords):
        nonlocal held
        # They outlive the comparison of the result: a program can put into a
        # list that it is given what changes the result when the list is freed.
        held = arguments, keywords
        if _collects:
            _collect_again()
        try:
            result = value(*arguments, **keywords)
        finally:
            _stop_collecting()
        return plain(result)

    return judged


def pause():
    """No collection begins from now on until the program is called: its finalisers would run."""
    global _collects
    _collects = _is_collecting()
    _stop_collecting()


_collects = False
_is_collecting, _stop_collecting, _collect_again = gc.isenabled, gc.disable, gc.enable
_callable = callable
