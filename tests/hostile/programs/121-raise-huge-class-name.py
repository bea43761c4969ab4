    # task: Hostile/0 verdict: raised
    # An exception class with a name of a million characters and a newline.
    raise type("A\n" * 500_000, (Exception,), {})("x")
