    return a + b + ZERO

ZERO = 0

def unused():
    pass
