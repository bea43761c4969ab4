    # task: Hostile/0 verdict: passed
    # Catches the RecursionError of unbounded recursion and answers rightly.
    def down():
        return down()
    try:
        down()
    except RecursionError:
        pass
    return a + b
