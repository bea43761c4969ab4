    # task: Hostile/0 verdict: failed|raised
    # A context manager's __exit__ gets a traceback and tries to climb from it.
    class Climber:
        def __enter__(self):
            return self
        def __exit__(self, kind, error, trace):
            frame = trace.tb_frame.f_back
            frame.f_locals["candidate"] = int.__add__
            return True
    with Climber():
        raise ValueError
    return a - b
