def add(a, b):
    return plus(a, b) + TABLE[0]


def plus(a, b):
    return a + b


TABLE = [0] * 3
