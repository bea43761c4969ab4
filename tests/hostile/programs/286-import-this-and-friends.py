    # task: Hostile/0 verdict: passed|raised
    # Imports modules that print or run things when imported; raised where the library lacks them.
    import this
    import __hello__
    __hello__.main()
    return a + b
