    # task: Hostile/0 verdict: passed
    # Two thousand syntax warnings from exec.
    exec("\n".join("x = 1 is 1" for _ in range(2000)), {})
    return a + b
