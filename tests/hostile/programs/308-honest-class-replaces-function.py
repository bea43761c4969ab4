    # task: Hostile/0 verdict: passed
    # Honest: a class of the name of the function, which makes plain numbers.
    return a - b

class add:
    def __new__(cls, a, b): return a + b
