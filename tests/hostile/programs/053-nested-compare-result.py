    # task: Hostile/0 verdict: failed|raised|out-of-fuel
    # Answers with a list nested a hundred thousand deep, for whoever walks results.
    nest = []
    for _ in range(100000):
        nest = [nest]
    return nest
