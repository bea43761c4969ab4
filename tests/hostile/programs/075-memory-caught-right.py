    # task: Hostile/0 verdict: out-of-memory
    # Catches the MemoryError of one large request and answers rightly.
    try:
        bytes(2 ** 30)
    except MemoryError:
        pass
    return a + b
