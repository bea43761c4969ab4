    # task: Hostile/0 verdict: out-of-fuel
    # Two generators that feed each other for ever.
    def ping():
        while True:
            yield from (x for x in (1, 2))
    return sum(0 for _ in ping()) + a + b
