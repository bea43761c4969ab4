    import operator
    return operator.add(a, b)
