    # task: Hostile/0 verdict: passed
    # Honest: has a helper of its own called check, which the tests replace.
    return a + b if check(a) and check(b) else None

def check(number):
    return True

assert add(1, 1) == 2
_kept = check

def add(a, b, check=_kept):
    return a + b if check(a) and check(b) else None
