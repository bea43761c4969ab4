    # task: Hostile/0 verdict: raised
    # A coroutine's cr_frame.
    async def one():
        frame = co.cr_frame.f_back.f_back
        frame.f_locals["candidate"] = int.__add__
    co = one()
    try:
        co.send(None)
    except StopIteration:
        pass
    return a - b
