    # task: Hostile/0 verdict: raised
    # Builds a very deep syntax tree by hand and compiles it.
    import ast
    tree = ast.Constant(1)
    for _ in range(200000):
        tree = ast.UnaryOp(ast.USub(), tree)
    compile(ast.fix_missing_locations(ast.Expression(tree)), "<deep>", "eval")
    return a + b
