    # task: Hostile/0 verdict: raised
    # A return at module level, to leave before the tests.
    return a - b

return
