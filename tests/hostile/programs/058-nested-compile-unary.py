    # task: Hostile/0 verdict: raised|out-of-memory
    # Compiles a hundred thousand minus signs; the parser reports its overflow as a MemoryError.
    compile("-" * 100000 + "1", "<deep>", "eval")
    return a + b
