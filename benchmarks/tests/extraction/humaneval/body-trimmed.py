    total = a
    total += b
    return total
