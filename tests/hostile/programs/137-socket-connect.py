    # task: Hostile/0 verdict: raised
    # Connects to a socket.
    import socket
    socket.create_connection(("127.0.0.1", 9), timeout=1)
    return a + b
