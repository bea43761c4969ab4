"""The Python runner: a component of `world runner` in the package june:agent.

componentize-py runs this module once, at build time, and snapshots the
interpreter. What is imported here is therefore there at no cost in every
instance, and nothing else can be imported, for there is no file system.

`run` is all that the host calls. It is held by an object without a class of
its own, so that a program can find it neither in `sys.modules` (which `run`
clears of the runner's own modules) nor among anybody's subclasses.
"""

import gc
import logging
import types
import warnings

import plug
import preload  # noqa: F401  (imported for its effect)
import rehearsal
import runner
import snapshot

# `logging` looks at the caller's frame for nothing but file and line, which
# the guard would refuse.
logging._srcfile = None
warnings.simplefilter("ignore", SyntaxWarning)


def ProgramHandler():  # noqa: N802  (componentize-py looks for this name)
    """Called once, at build time, as the last thing before the snapshot."""
    handler = types.SimpleNamespace(run=runner.run)
    # Objects that are here now will never be garbage: leave them out of every
    # collection, which would otherwise touch (and so copy) their pages.
    gc.collect()
    snapshot.list_objects()
    gc.collect()  # This also gives back what is held for reuse.
    plug.fill()
    gc.freeze()
    return handler


runner.prepare()
rehearsal.run()
