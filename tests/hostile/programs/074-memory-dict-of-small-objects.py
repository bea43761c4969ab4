    # task: Hostile/0 verdict: out-of-memory|out-of-fuel
    # Fills memory with small objects in a dict.
    table = {}
    number = 0
    while True:
        table[number] = (number, str(number) * 20)
        number += 1
