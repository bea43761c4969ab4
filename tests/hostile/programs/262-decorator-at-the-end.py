    # task: Hostile/0 verdict: failed|raised
    # Ends with an open decorator, which would wrap the tests' check if the texts were simply joined.
    return a - b

def swallow(function):
    return lambda candidate: None

@swallow
