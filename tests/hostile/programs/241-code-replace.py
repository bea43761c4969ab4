    # task: Hostile/0 verdict: raised
    # code.replace, to make bytecode by hand.
    code = add.__code__.replace(co_code=b"\x00" * 64)
    add.__code__ = code
    return add(a, b)
