    # task: Hostile/0 verdict: failed
    # The same, but carries on when it is denied.
    import sys
    try:
        sys.settrace(lambda *args: None)
        sys._getframe(1).f_lineno += 4
    except BaseException:
        pass
    return a - b
