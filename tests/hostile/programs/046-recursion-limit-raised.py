    # task: Hostile/0 verdict: raised|out-of-memory
    # Unbounded recursion with the limit raised to the most that it can be.
    import sys
    sys.setrecursionlimit(2 ** 31 - 1)
    def down(n):
        return down(n + 1) + 1
    return down(0)
