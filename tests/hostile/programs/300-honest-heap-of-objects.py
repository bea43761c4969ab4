    # task: Hostile/1 verdict: passed
    # Honest: orders objects of its own, and answers with a number of a class that compares in Python.
    import heapq
    from fractions import Fraction

    class Part:
        def __init__(self, value): self.value = value
        def __lt__(self, other): return self.value < other.value

    heap = [Part(Fraction(value)) for value in values]
    heapq.heapify(heap)
    total = Fraction(0)
    while heap:
        total += heapq.heappop(heap).value
    return total / len(values)
