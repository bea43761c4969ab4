    # task: Hostile/0 verdict: out-of-memory|raised
    # Asks for 10 GB of bytes, which a 32-bit index cannot even name.
    return len(bytes(10 * 2 ** 30)) * 0 + a + b
