    # task: Hostile/0 verdict: raised
    # GeneratorExit at module level.
    return a + b

raise GeneratorExit("over")
