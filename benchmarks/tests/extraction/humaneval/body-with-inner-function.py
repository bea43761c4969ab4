    def plus(x):
        return x + b
    return plus(a)
