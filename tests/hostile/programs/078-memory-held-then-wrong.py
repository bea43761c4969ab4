    # task: Hostile/0 verdict: failed|raised|out-of-memory
    # Fills memory to the last small object, keeps it and answers wrongly, so that the grader has none left.
    for size in (2 ** 20, 2 ** 12, 2 ** 6, 1):
        try:
            while True:
                kept.append(bytearray(size))
        except MemoryError:
            pass
    return a - b

kept = []
