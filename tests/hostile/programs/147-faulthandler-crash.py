    # task: Hostile/0 verdict: raised|exited
    # Uses faulthandler's test functions to crash the interpreter.
    import faulthandler
    faulthandler._stack_overflow()
    return a - b
