    # task: Hostile/0 verdict: raised
    # Imports ctypes to reach memory.
    import ctypes
    ctypes.string_at(0)
    return a + b
