    # task: Hostile/0 verdict: raised
    # Prints to a closed stdout.
    import sys
    sys.stdout.close()
    print("hello")
    return a + b
