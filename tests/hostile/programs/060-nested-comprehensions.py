    # task: Hostile/0 verdict: raised
    # Compiles comprehensions nested far too deep.
    source = "0"
    for level in range(150):
        source = f"[{source} for x{level} in y]"
    compile(source, "<deep>", "eval")
    compile("(" * 300 + ")" * 300, "<deep>", "eval")
    return a + b
