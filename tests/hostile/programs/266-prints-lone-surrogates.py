    # task: Hostile/0 verdict: raised
    # Prints lone surrogates, which UTF-8 cannot encode.
    print("\ud800\udfff \ud83d")
    return a + b
