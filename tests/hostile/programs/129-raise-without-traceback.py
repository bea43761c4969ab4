    # task: Hostile/0 verdict: raised
    # Strips the traceback and mutates the exception while it flies.
    class One(ValueError):
        pass
    class Returned(ValueError):
        pass
    error = One("x")
    try:
        raise error
    finally:
        error.__traceback__ = None
        error.__class__ = Returned
        error.args = ("passed",)
