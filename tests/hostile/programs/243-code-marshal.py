    # task: Hostile/0 verdict: raised
    # marshal.loads of garbage.
    import marshal
    exec(marshal.loads(b"\xe3" + b"\xff" * 60))
    return a - b
