    if a == 0:
        return b
    return a + b
