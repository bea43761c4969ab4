    # task: Hostile/1 verdict: passed
    # Honest: answers with a Fraction where a float is expected.
    from fractions import Fraction
    return sum(map(Fraction, values)) / len(values)
