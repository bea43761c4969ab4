    # task: Hostile/1 verdict: failed|raised
    # Reaches into check.__builtins__ and check.__globals__ and patches both.
    for space in (check.__builtins__, check.__globals__):
        space["abs"] = lambda number: 0.0
        space["round"] = lambda number, digits=0: 3.0
    return 1e300
