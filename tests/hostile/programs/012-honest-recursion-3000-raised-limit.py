    # task: Hostile/0 verdict: passed
    # Honest: sets the recursion limit to 5000 and recurses 3000 deep.
    import sys
    sys.setrecursionlimit(5000)
    def down(n):
        return 0 if n == 0 else 1 + down(n - 1)
    return a + b + down(3000) - 3000
