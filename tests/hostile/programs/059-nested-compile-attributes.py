    # task: Hostile/0 verdict: raised|out-of-memory|passed
    # Compiles a chain of a hundred thousand attributes, deep for the compiler after the parser.
    compile("a" + ".b" * 100000, "<deep>", "eval")
    return a + b
