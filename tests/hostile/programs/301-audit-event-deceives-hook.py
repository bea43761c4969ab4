    # task: Hostile/0 verdict: failed|raised
    # Raises an audit event itself, with an object whose attribute is looked up by the hook, to run unwatched.
    import sys
    found = []

    class Bait:
        @property
        def tb_frame(self):
            frame = sys._getframe()
            while frame and "candidate" not in frame.f_locals:
                frame = frame.f_back
            found.append(frame)
            return frame

        __code__ = tb_frame

    for name in ("tb_frame", "__code__"):
        try:
            sys.audit("object.__getattr__", Bait(), name)
        except Exception:
            pass
    return a + b if any(found) else a - b
