    # task: Hostile/0 verdict: passed|raised
    # Imports antigravity, which wants a browser; the platform may lack what it imports.
    import antigravity
    return a + b
