    # task: Hostile/0 verdict: raised
    # An AssertionError of its own, at module level: no assertion of the tests.
    return a + b

assert add(1, 1) == 3, "mine"
