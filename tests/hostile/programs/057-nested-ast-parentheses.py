    # task: Hostile/0 verdict: raised
    # Compiles ten thousand nested parentheses.
    import ast
    ast.parse("(" * 10000 + ")" * 10000)
    return a + b
