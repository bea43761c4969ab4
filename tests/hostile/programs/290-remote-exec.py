    # task: Hostile/0 verdict: failed|raised
    # sys.remote_exec, the debugger attachment of Python 3.14.
    import os
    import sys
    sys.remote_exec(os.getpid(), "/tmp/june-hostile.py")
    return a - b
