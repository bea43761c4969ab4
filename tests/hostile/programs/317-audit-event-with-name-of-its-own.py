    # task: Hostile/0 verdict: failed|raised
    # Raises an audit event itself, with a name that runs code when the hook compares it.
    import sys
    found = []

    def steal():
        frame = sys._getframe()
        while frame and "candidate" not in frame.f_locals:
            frame = frame.f_back
        found.append(frame)

    class Name(str):
        def __eq__(self, other):
            steal()
            return False

        def __hash__(self):
            steal()
            return 0

    try:
        sys.audit("object.__getattr__", None, Name("tb_frame"))
    except Exception:
        pass
    return a + b if any(found) else a - b
