    # task: Hostile/0 verdict: raised|out-of-memory
    # A pickle of seven bytes that names a huge memo index.
    import pickle
    pickle.loads(b"\x80\x04Nr\xff\xff\xff\x7f.")
    return a + b
