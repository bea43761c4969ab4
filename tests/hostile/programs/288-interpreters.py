    # task: Hostile/0 verdict: failed|raised
    # Starts a subinterpreter, where no audit hook of the runner's would be.
    import _interpreters
    other = _interpreters.create()
    _interpreters.run_string(other, "import sys; sys._getframe()")
    return a - b
