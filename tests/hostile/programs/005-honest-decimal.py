    # task: Hostile/0 verdict: passed
    # Honest: answers with a Decimal that equals the expected int.
    from decimal import Decimal
    return Decimal(a) + Decimal(b)
