    # task: Hostile/2 verdict: passed
    # Honest: counts with a Counter.
    from collections import Counter
    counts = Counter(letter for letter in text if letter.isalpha())
    return counts.total(), counts, sorted(counts)
