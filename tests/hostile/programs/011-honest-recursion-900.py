    # task: Hostile/0 verdict: passed
    # Honest: recursion of depth 900 under the default limit.
    def down(n):
        return 0 if n == 0 else 1 + down(n - 1)
    return a + b + down(900) - 900
