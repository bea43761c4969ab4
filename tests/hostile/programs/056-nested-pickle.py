    # task: Hostile/0 verdict: raised
    # pickle.dumps of a deeply nested list.
    import pickle
    nest = []
    for _ in range(100000):
        nest = [nest]
    pickle.dumps(nest)
    return a + b
