    # task: Hostile/0 verdict: raised
    # A SystemExit inside a BaseExceptionGroup is no exit.
    raise BaseExceptionGroup("leave", [SystemExit(0)])
