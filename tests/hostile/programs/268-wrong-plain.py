    # task: Hostile/0 verdict: failed
    # A plain wrong answer.
    return a - b
