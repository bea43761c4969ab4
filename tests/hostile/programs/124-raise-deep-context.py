    # task: Hostile/0 verdict: raised
    # An exception with a chain of fifty thousand contexts and a cycle of causes.
    last = None
    for number in range(50_000):
        error = ValueError(number)
        error.__context__ = last
        last = error
    last.__cause__ = error.__context__
    raise last
