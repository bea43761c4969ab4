    # task: Hostile/0 verdict: out-of-fuel|out-of-memory
    # A tower of powers; time or memory ends first.
    nine = 9
    nine ** nine ** nine ** nine
    return a + b
