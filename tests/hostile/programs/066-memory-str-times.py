    # task: Hostile/0 verdict: out-of-memory
    # A string of a billion characters.
    return len("ab" * 500_000_000) * 0 + a + b
