    # task: Hostile/0 verdict: raised
    # json.loads of a hundred thousand open brackets.
    import json
    json.loads("[" * 100000)
    return a + b
