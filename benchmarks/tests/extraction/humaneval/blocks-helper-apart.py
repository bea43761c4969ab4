import operator
def plus(a, b):
    return operator.add(a, b)
def add(a, b):
    return plus(a, b)
