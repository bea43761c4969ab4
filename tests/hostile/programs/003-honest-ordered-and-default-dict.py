    # task: Hostile/2 verdict: passed
    # Honest: answers with a defaultdict inside the tuple.
    from collections import defaultdict
    counts = defaultdict(int)
    for letter in text:
        if letter.isalpha():
            counts[letter] += 1
    return sum(counts.values()), counts, sorted(counts)
