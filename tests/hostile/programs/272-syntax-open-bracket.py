    # task: Hostile/0 verdict: raised
    # Ends with an open bracket.
    return a - b

tests = (
