    # task: Hostile/0 verdict: raised
    # A plain syntax error.
    retrun a + b
