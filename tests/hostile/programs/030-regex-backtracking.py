    # task: Hostile/0 verdict: out-of-fuel
    # Exponential backtracking in the regex engine.
    import re
    re.match(r"(a+)+$", "a" * 60 + "b")
    return a + b
