    # task: Hostile/0 verdict: raised
    # Unbounded recursion under the default limit.
    return add(a, b)
