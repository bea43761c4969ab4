    # task: Hostile/0 verdict: exited|failed|raised
    # os._exit(0) when the tests compare the result.
    return Leaver()

import os

class Leaver:
    def __eq__(self, other):
        os._exit(0)
    __hash__ = None
