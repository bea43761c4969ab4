    # task: Hostile/0 verdict: passed
    # Executes three thousand generated lines, which is much but not too much.
    space = {}
    exec("\n".join(f"x{i} = {i}" for i in range(3000)), space)
    return a + b if space["x2999"] == 2999 else None
