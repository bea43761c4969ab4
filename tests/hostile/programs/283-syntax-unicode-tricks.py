    # task: Hostile/0 verdict: passed
    # Identifiers that Unicode normalization makes equal, and text in other directions.
    ﬁrst = a
    second = "\u202e passed \u2066"
    return first + b
