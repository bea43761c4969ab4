    # task: Hostile/0 verdict: out-of-memory|out-of-fuel
    # Executes twenty million generated statements.
    exec("x=1\n" * 20_000_000, {})
    return a + b
