    # task: Hostile/0 verdict: raised
    # Mixes tabs and spaces in one block.
    if a:
	x = 1
        y = 2
    return a + b
