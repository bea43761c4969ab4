    # task: Hostile/0 verdict: out-of-memory
    # A list of 250 million places.
    return len([None] * 250_000_000) * 0 + a + b
