    # task: Hostile/1 verdict: raised
    # Returns None, with which the tests cannot calculate.
    pass
