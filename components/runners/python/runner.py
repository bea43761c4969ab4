"""Runs one program, and the checks that judge it, in this interpreter.

From the moment the program starts, nothing is looked up that it could have
changed: what is needed then is bound here, and this module has builtins of its
own. The verdict is the *type* of one of three objects made beforehand; what a
program can still reach (the attributes of their classes) only fills in the
details.
"""

import builtins
import gc
import itertools
import sys
import types

import guard
import judge
import plain
from wit_world.imports import program_types as wit

__builtins__ = dict(vars(builtins))

_PROGRAM, _CHECKS = "<program>", "<checks>"
_LONGEST_MESSAGE, _LONGEST_STATEMENT = slice(0, 4096), slice(0, 1024)

_EXCEPTION = wit.Exception("", "", wit.Phase.SOURCE, 0, None)
_RETURNED = wit.Completion_Returned()
_RAISED = wit.Completion_Raised(_EXCEPTION)
_EXITED = wit.Completion_Exited(1)
_IN_SOURCE, _IN_CHECKS = wit.Phase.SOURCE, wit.Phase.CHECKS

# The runner's own modules, which a program must not import.
_PRIVATE = (
    *("app", "guard", "judge", "plain", "plug", "preload", "rehearsal", "runner", "snapshot"),
    *("componentize_py", "poll_loop", "wit_world"),
)

# What must outlive the program.
_kept = []

_set = object.__setattr__
_name_of = type.__dict__["__name__"].__get__
_traceback_of = BaseException.__dict__["__traceback__"].__get__
_status_of = SystemExit.__dict__["code"].__get__
_line_of = SyntaxError.__dict__["lineno"].__get__
_frame_of, _next_of, _line_at, _last_of = (
    vars(types.TracebackType)[name].__get__ for name in ("tb_frame", "tb_next", "tb_lineno", "tb_lasti")
)
_code_of = vars(types.FrameType)["f_code"].__get__
_file_of, _positions_of = vars(types.CodeType)["co_filename"].__get__, types.CodeType.co_positions
_join, _strip, _keep = str.join, str.strip, _kept.append
_cut, _encode, _decode, _lines = str.__getitem__, str.encode, bytes.decode, str.splitlines
_streams = [(sys.stdout, type(sys.stdout).flush), (sys.stderr, type(sys.stderr).flush)]
_disable_gc, _islice = gc.disable, itertools.islice


def prepare():
    """Called last at build time: remembers what is there before any program."""
    global _hidden
    plain.remember_types()
    _hidden = [name for name in sys.modules if name.startswith(_PRIVATE)]


def run(program):
    for name in _hidden:
        sys.modules.pop(name, None)
    # No `__name__` where something is checked, as in the graders that people
    # know: a program's `if __name__ == "__main__":` does not run.
    namespace = {"__builtins__": vars(builtins)}
    phase, sealed = _IN_SOURCE, ()
    try:
        source = compile(program.source + "\n", _PROGRAM, "exec", dont_inherit=True, optimize=0)
        if program.checks is None:
            # A program of its own, which may import the files that it was given.
            namespace["__name__"] = "__main__"
            sys.path.insert(0, ".")
            exec(source, namespace)
        else:
            phase = _IN_CHECKS
            checks = compile(program.checks, _CHECKS, "exec", dont_inherit=True, optimize=0)
            sealed = judge.code_objects(checks)
            guard.start(sealed)
            phase = _IN_SOURCE
            exec(source, namespace)
            phase = _IN_CHECKS
            judge.pause()
            exec(checks, judge.namespace(namespace, source, checks))
        completion = _RETURNED
    except BaseException as error:
        completion = _completion(error, phase, program.checks, sealed)
    # Nothing of the program runs any more: neither finalisers nor collections.
    _disable_gc()
    _keep(namespace)
    for stream, flush in _streams:
        try:
            flush(stream)
        except BaseException:
            pass
    return completion


def _completion(error, phase, checks, sealed):
    kind = type(error)
    if issubclass(kind, SystemExit):
        status = _status_of(error)
        if status is None:
            status = 0
        elif type(status) is not int:
            status = 1
        _set(_EXITED, "value", status if -0x80000000 <= status <= 0x7FFFFFFF else 1)
        return _EXITED
    try:
        message = _text(str(error), _LONGEST_MESSAGE)
    except BaseException:
        message = "<no message: it could not be converted to text>"
    guard.stop()
    line, statement, step = 0, None, _traceback_of(error)
    while step is not None:
        code, following = _code_of(_frame_of(step)), _next_of(step)
        if code in sealed or phase is _IN_SOURCE and _file_of(code) == _PROGRAM:
            line = _line_at(step)
        if following is None and kind is AssertionError and code in sealed:
            first, last, _, _ = next(_islice(_positions_of(code), _last_of(step) // 2, None))
            text = _join("\n", _lines(checks)[first - 1 : last])
            statement = _text(_strip(text), _LONGEST_STATEMENT)
        step = following
    if kind is SyntaxError or kind is IndentationError or kind is TabError:
        line = _line_of(error)
    if type(line) is not int or not 0 <= line < 1 << 31:
        line = 0
    _set(_EXCEPTION, "kind", _text(_name_of(kind), _LONGEST_STATEMENT))
    _set(_EXCEPTION, "message", message)
    _set(_EXCEPTION, "phase", phase)
    _set(_EXCEPTION, "line", line)
    _set(_EXCEPTION, "statement", statement)
    return _RAISED


def _text(text, longest):
    """Exactly a `str`, short, and without what UTF-8 cannot say."""
    return _decode(_encode(_cut(text, longest), "utf-8", "replace"), "utf-8")
