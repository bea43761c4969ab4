    # task: Hostile/0 verdict: failed|raised
    # An AssertionError of its own while the tests run.
    raise AssertionError("passed")
