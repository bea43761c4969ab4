    return a + b
