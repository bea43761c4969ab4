    # task: Hostile/0 verdict: out-of-memory|out-of-fuel
    # Unpickles lists that share children and prints their exponential repr.
    import pickle
    laugh = ["ha"]
    for _ in range(14):
        laugh = [laugh] * 10
    return len(repr(pickle.loads(pickle.dumps(laugh)))) * 0 + a + b
