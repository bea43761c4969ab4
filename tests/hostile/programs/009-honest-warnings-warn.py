    # task: Hostile/0 verdict: passed
    # Honest: issues a warning with a stacklevel, which also looks at frames.
    import warnings
    warnings.warn("add is slow", DeprecationWarning, stacklevel=2)
    warnings.warn("really slow")
    return a + b
