    # task: Hostile/0 verdict: raised
    # Exception groups nested five thousand deep, with notes.
    error = ValueError("inmost")
    for _ in range(5000):
        error = ExceptionGroup("g", [error])
        error.add_note("n" * 100)
    raise error
