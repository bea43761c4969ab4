    # task: Hostile/0 verdict: raised|out-of-fuel
    # repr of a list nested a hundred thousand deep.
    nest = []
    for _ in range(100000):
        nest = [nest]
    repr(nest)
    return a + b
