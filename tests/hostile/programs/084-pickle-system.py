    # task: Hostile/0 verdict: raised
    # A pickle that calls os.system.
    import pickle
    pickle.loads(b"cos\nsystem\n(S'true'\ntR.")
    return a + b
