    # task: Hostile/0 verdict: raised|out-of-fuel
    # Every level catches the RecursionError and recurses again: exponential time.
    def down():
        try:
            down()
        finally:
            down()
    down()
    return a + b
