    # task: Hostile/0 verdict: raised
    # A message of four-byte characters, to be cut in the middle of one.
    raise ValueError("x" + "\U0001f41b" * 100_000)
