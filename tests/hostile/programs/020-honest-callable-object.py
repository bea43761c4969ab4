    # task: Hostile/0 verdict: passed
    # Honest: the entry point is an instance with __call__, wrapped by functools.
    return a + b

import functools

class Adder:
    def __init__(self, function):
        functools.update_wrapper(self, function)
    def __call__(self, *args):
        return self.__wrapped__(*args)

add = Adder(add)
