    # task: Hostile/1 verdict: failed
    # Answers with not-a-number, for which comparisons are odd.
    return float("nan")
