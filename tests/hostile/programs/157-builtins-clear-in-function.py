    # task: Hostile/0 verdict: failed|raised
    # Clears the builtins' dict while the tests run.
    import builtins
    builtins.__dict__.clear()
    return a - b
