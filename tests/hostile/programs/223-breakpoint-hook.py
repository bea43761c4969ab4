    # task: Hostile/0 verdict: raised|exited
    # breakpoint(), which starts a debugger on the tests.
    breakpoint()
    return a - b
