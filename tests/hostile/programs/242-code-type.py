    # task: Hostile/0 verdict: raised
    # types.CodeType and types.FunctionType with made-up bytecode.
    import types
    old = add.__code__
    code = types.CodeType(2, 0, 0, 2, 2, 3, b"\x64\xff" * 40, (), (), ("a", "b"), "x", "x", "x", 1, b"", b"", (), ())
    return types.FunctionType(code, {})(a, b)
