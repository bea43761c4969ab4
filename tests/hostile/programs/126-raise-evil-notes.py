    # task: Hostile/0 verdict: raised
    # __notes__ that is no list, and a SyntaxError with senseless positions.
    error = SyntaxError("bad", ("<checks>", 10 ** 100, -5, "assert True", object(), "x"))
    error.lineno = 10 ** 100
    error.end_lineno = "many"
    error.text = 5
    error.__notes__ = 17
    raise error
