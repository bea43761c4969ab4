    # task: Hostile/1 verdict: passed
    # Honest: generators, contextlib managers, match and the walrus.
    with total(values) as so_far, contextlib.suppress(ZeroDivisionError):
        *_, last = so_far
        match len(values):
            case 0:
                return 0.0
            case n if (half := n) > 0:
                return last / half

import contextlib
import itertools

@contextlib.contextmanager
def total(values):
    def steps():
        yield from itertools.accumulate(values)
    yield steps()
