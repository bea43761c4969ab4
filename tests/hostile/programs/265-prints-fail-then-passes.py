    # task: Hostile/0 verdict: passed
    # Prints what looks like a failure, then answers rightly.
    import sys
    print('{"passed": false, "result": "failed: "}', file=sys.stderr)
    print("Traceback (most recent call last):\nAssertionError")
    return a + b
