    # task: Hostile/0 verdict: raised
    # An exception with a message of 20 million characters.
    raise ValueError("long " * 4_000_000)
