    # task: Hostile/0 verdict: out-of-memory
    # Fills memory, catches the MemoryError, lets go and answers rightly.
    kept = []
    try:
        while True:
            kept.append(bytearray(2 ** 20))
    except MemoryError:
        kept.clear()
    return a + b
