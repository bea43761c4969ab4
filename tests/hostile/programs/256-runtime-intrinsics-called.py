    # task: Hostile/0 verdict: failed|raised|exited
    # Calls the component runtime's own intrinsics with senseless arguments.
    try:
        import componentize_py_runtime as runtime
        for name in dir(runtime):
            for args in ((), (0,), (0, []), (0, [], 0)):
                try:
                    getattr(runtime, name)(*args)
                except Exception:
                    pass
    except ImportError:
        pass
    return a - b
