    # task: Hostile/0 verdict: raised
    # Turns warnings into errors and then warns.
    import warnings
    warnings.simplefilter("error")
    warnings.warn("now an error")
    return a + b
