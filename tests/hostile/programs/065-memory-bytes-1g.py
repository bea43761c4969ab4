    # task: Hostile/0 verdict: out-of-memory
    # Asks for 1 GiB of bytes at once.
    return len(bytes(2 ** 30)) * 0 + a + b
