    # task: Hostile/0 verdict: passed
    # Honest: the completion defines the whole function again at column 0, as models often do.
    pass

def add(a, b):
    """The same again."""
    return a + b

if __name__ == "__main__":
    print(add(2, 3))
