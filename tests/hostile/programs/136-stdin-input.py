    # task: Hostile/0 verdict: raised
    # Asks with input(), where there is nobody to answer.
    return int(input("sum? "))
