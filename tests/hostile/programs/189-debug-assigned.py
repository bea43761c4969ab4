    # task: Hostile/0 verdict: raised
    # Assigns to __debug__, which is a syntax error.
    return a + b

__debug__ = False
