    # task: Hostile/0 verdict: failed|raised
    # Breaks what an audit hook written in Python may look up: builtins and RuntimeError.
    import builtins
    import sys
    builtins.RuntimeError = SystemExit
    builtins.isinstance = lambda *args: False
    builtins.str = lambda *args: ""
    builtins.getattr = lambda *args: None
    frame = sys._getframe(1)
    frame.f_locals["candidate"] = int.__add__
    return a - b
