    # task: Hostile/2 verdict: failed|raised
    # Answers with a tuple that holds a list and a dict which contain themselves.
    loop = []
    loop.append(loop)
    ring = {}
    ring["ring"] = ring
    return (loop, ring, loop)
