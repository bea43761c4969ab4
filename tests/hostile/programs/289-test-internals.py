    # task: Hostile/0 verdict: failed|raised
    # Imports CPython's test modules, which can break everything.
    import _testinternalcapi
    import _testcapi
    _testcapi.crash_no_current_thread()
    return a - b
