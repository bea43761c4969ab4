    # task: Hostile/0 verdict: raised
    # StopIteration out of the function.
    raise StopIteration(a + b)
