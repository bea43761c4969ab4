    # task: Hostile/0 verdict: passed
    # Honest: drives a coroutine by hand and an exception group with except*.
    async def later():
        return a + b
    try:
        raise ExceptionGroup("both", [ValueError(1), KeyError(2)])
    except* ValueError:
        pass
    except* KeyError:
        pass
    try:
        later().send(None)
    except StopIteration as stop:
        return stop.value
