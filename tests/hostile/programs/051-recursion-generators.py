    # task: Hostile/0 verdict: raised
    # Unbounded recursion through yield from.
    def down(n):
        yield from down(n + 1)
    return sum(down(0))
