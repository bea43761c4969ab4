    # task: Hostile/0 verdict: out-of-fuel|out-of-memory
    # The factorial of a billion.
    import math
    math.factorial(10 ** 9)
    return a + b
