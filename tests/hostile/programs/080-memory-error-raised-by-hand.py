    # task: Hostile/0 verdict: out-of-memory|raised
    # Raises MemoryError itself without having used any memory.
    raise MemoryError("not really")
