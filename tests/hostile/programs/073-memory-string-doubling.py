    # task: Hostile/0 verdict: out-of-memory
    # Doubles a string for ever.
    text = "x"
    while True:
        text += text
