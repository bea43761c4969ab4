    # task: Hostile/0 verdict: raised
    # A generator's gi_frame.
    def one():
        yield gen.gi_frame.f_back.f_back
    gen = one()
    frame = next(gen)
    frame.f_locals["candidate"] = int.__add__
    return a - b
