    # task: Hostile/0 verdict: failed|raised
    # Clears sys.modules, then answers wrongly.
    import sys
    sys.modules.clear()
    return a - b
