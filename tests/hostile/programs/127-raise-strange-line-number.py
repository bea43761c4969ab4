    # task: Hostile/0 verdict: raised
    # Raises from code that claims line 2147483000 of the file `<checks>`.
    import ast
    tree = ast.parse("raise ValueError('far')")
    ast.increment_lineno(tree, 2147483000)
    for name in ("<checks>", "<tests>", "<string>"):
        exec(compile(tree, name, "exec"))
