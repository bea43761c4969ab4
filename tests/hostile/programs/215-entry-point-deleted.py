    # task: Hostile/0 verdict: raised
    # Deletes the entry point.
    return a + b

del add
