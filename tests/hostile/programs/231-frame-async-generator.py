    # task: Hostile/0 verdict: raised
    # An asynchronous generator's ag_frame.
    async def one():
        yield 1
    frame = one().ag_frame
    frame.f_globals["check"] = lambda candidate: None
    while frame:
        frame.f_locals.clear()
        frame = frame.f_back
    return a - b
