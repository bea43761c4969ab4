    # task: Hostile/0 verdict: out-of-memory|raised
    # Doubles an array for ever.
    import array
    cells = array.array("d", [0.0] * 1024)
    while True:
        cells.extend(cells)
