    # task: Hostile/0 verdict: passed
    # Honest: functools.lru_cache, partial and reduce around the sum.
    return fold(a, b) if fib(20) == 6765 else None

import functools
import operator

@functools.lru_cache(maxsize=None)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)

def fold(*numbers):
    return functools.reduce(functools.partial(operator.add), numbers)
