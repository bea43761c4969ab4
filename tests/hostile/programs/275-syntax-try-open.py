    # task: Hostile/0 verdict: raised
    # Ends inside an open try, to catch what the tests raise.
    return a - b

try:
