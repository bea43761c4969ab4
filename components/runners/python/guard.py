"""What a program may not do while it is judged by checks.

A program shares its interpreter with the checks and with the runner. Python
has audit events (PEP 578) for every way from a program to frames, to code and
to objects that nobody gave it; a hook refuses these. A hook cannot be removed,
and nothing else refers to this one.

Refusal is an ordinary `RuntimeError` in the program: it may catch it, and go on
without what it wanted.
"""

import builtins
import gc
import sys
import traceback
import types

__builtins__ = dict(vars(builtins))

_REFUSED = frozenset(
    {
        "code.__new__",
        "gc.get_objects",
        "gc.get_referents",
        "gc.get_referrers",
        "marshal.loads",
        "sys._current_exceptions",
        "sys._current_frames",
        "sys.addaudithook",
        "sys.remote_exec",
        "sys.setprofile",
        "sys.settrace",
        "sys.monitoring.register_callback",
        "cpython.PyInterpreterState_New",
    }
)
_FRAME_ATTRIBUTES = frozenset({"tb_frame", "gi_frame", "cr_frame", "ag_frame"})
_FUNCTION_ATTRIBUTES = frozenset({"__code__", "__defaults__", "__kwdefaults__"})

# `traceback` formats an exception by way of its frames; it may, for frames of
# the program itself, as long as only its own extractor receives them.
_WALKERS = frozenset({traceback.walk_tb.__code__, traceback._walk_tb_with_full_positions.__code__})
_EXTRACTORS = frozenset(
    {
        traceback.StackSummary._extract_from_extended_frame_gen.__func__.__code__,
        traceback.StackSummary.extract.__func__.__code__,
    }
)

_getframe, _get_referents = sys._getframe, gc.get_referents
_is_collecting, _stop_collecting, _collect_again = gc.isenabled, gc.disable, gc.enable
_TRACEBACK, _FUNCTION = types.TracebackType, types.FunctionType
# Attributes are not looked up while a program is watched: in the real dict of
# its type it could have put another, which would run unwatched.
_frame_of = vars(types.TracebackType)["tb_frame"].__get__
_code_of_frame, _back_of, _globals_of = (
    vars(types.FrameType)[name].__get__ for name in ("f_code", "f_back", "f_globals")
)
_code_of = vars(types.FunctionType)["__code__"].__get__
_GLOBALS = globals()
_sealed = set()
_on = False
_inside = False


def start(sealed):
    """Refuses from now on; `sealed` are the code objects of the checks."""
    global _on
    _sealed.update(sealed)
    _on = True


def stop():
    """Refuses no more. No code of the program may run after this."""
    global _on
    _on = False


def referents(value):
    """What a value holds, which a program may not ask for."""
    return _unwatched(_get_referents, value)


def _unwatched(look, *arguments):
    """Lets `look` ask for what is refused to programs.

    No code of the program may run meanwhile: no collection begins, whose
    finalisers would.
    """
    global _inside
    collecting = _is_collecting()
    _stop_collecting()
    _inside = True
    try:
        return look(*arguments)
    finally:
        _inside = False
        if collecting:
            _collect_again()


def _hook(event, arguments):
    if not _on or _inside:
        return
    if event in _REFUSED:
        raise RuntimeError("june: " + event + " is not available to a program under test")
    if event == "sys._getframe":
        raise RuntimeError("june: frames are not available to a program under test")
    if event == "object.__getattr__" or event == "object.__setattr__":
        if _unwatched(_refuses, arguments[0], arguments[1]):
            raise RuntimeError("june: " + arguments[1] + " is not available to a program under test")


def _refuses(value, name):
    # A program can raise this event itself, with a value and a name of its own making.
    if type(name) is not str:
        return False
    kind = type(value)
    if name == "tb_frame" and kind is _TRACEBACK:
        walker = _getframe(3)
        caller, mine = _back_of(walker), _frame_of(value)
        return (
            _code_of_frame(walker) not in _WALKERS
            or caller is None
            or _code_of_frame(caller) not in _EXTRACTORS
            or _globals_of(mine) is _GLOBALS
            or _code_of_frame(mine) in _sealed
        )
    if name in _FRAME_ATTRIBUTES:
        return True
    return name in _FUNCTION_ATTRIBUTES and kind is _FUNCTION and _code_of(value) in _sealed


sys.addaudithook(_hook)
