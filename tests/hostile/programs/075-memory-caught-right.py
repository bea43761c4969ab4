    # task: Hostile/0 verdict: passed
    # Catches the MemoryError of one large request and answers rightly.
    try:
        bytes(2 ** 30)
    except MemoryError:
        pass
    return a + b
