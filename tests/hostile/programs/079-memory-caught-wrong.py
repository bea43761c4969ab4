    # task: Hostile/0 verdict: out-of-memory
    # Catches the MemoryError and answers wrongly.
    try:
        return bytes(2 ** 30)
    except MemoryError:
        return a - b
