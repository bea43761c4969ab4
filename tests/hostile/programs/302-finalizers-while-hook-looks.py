    # task: Hostile/0 verdict: failed|raised
    # Leaves garbage behind, so that finalisers run while an audit hook in Python is at work, and unwatched.
    import sys
    found = []

    class Trap:
        def __init__(self):
            self.me = self

        def __del__(self):
            try:
                frame = sys._getframe()
            except Exception:
                return
            while frame and "candidate" not in frame.f_locals:
                frame = frame.f_back
            found.append(frame)

    try:
        raise ValueError
    except ValueError as error:
        trace = error.__traceback__
    for _ in range(6000):
        Trap()
        try:
            trace.tb_frame
        except Exception:
            pass
    return a + b if any(found) else a - b
