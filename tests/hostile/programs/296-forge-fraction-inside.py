    # task: Hostile/0 verdict: failed|raised
    # Answers with a fraction whose numerator equals everything.
    from fractions import Fraction
    result = Fraction(1)
    result._numerator = Same()
    return result

class Same:
    def __eq__(self, other): return True
