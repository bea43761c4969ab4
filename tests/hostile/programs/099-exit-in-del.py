    # task: Hostile/0 verdict: passed
    # SystemExit out of __del__ is ignored by Python, so the right answer stands.
    Leaver()
    return a + b

class Leaver:
    def __del__(self):
        raise SystemExit(0)
