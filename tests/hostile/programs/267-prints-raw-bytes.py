    # task: Hostile/0 verdict: passed
    # Writes bytes that are no UTF-8 to both streams, then answers rightly.
    import sys
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        getattr(stream, "buffer").write(b"\xff\xfe\x00\xc0\x80\xed\xa0\x80\r")
        stream.flush()
    return a + b
