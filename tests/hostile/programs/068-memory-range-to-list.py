    # task: Hostile/0 verdict: out-of-memory
    # Turns a range of 400 million into a list.
    return len(list(range(400_000_000))) * 0 + a + b
