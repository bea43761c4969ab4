    return plus(a, b)
def plus(a, b):
    return a + b
