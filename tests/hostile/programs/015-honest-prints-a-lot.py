    # task: Hostile/0 verdict: passed
    # Honest: prints 2000 long lines to each stream per call, far over the output cap, and ends.
    import sys
    for number in range(2000):
        print(number, "x" * 200)
        print(number, "y" * 200, file=sys.stderr)
    return a + b
