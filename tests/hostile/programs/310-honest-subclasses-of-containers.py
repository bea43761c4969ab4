    # task: Hostile/2 verdict: passed
    # Honest: a named tuple with a field count, and a dict and a list with methods of their own.
    from collections import namedtuple
    Survey = namedtuple("Survey", "count letters distinct")
    counts = Counts()
    for letter in text:
        if letter.isalpha():
            counts.add(letter)
    return Survey(sum(counts.values()), counts, Letters(sorted(counts)))

class Counts(dict):
    def __missing__(self, letter): return 0
    def __repr__(self): return "Counts"
    def add(self, letter): self[letter] += 1

class Letters(list):
    def __init__(self, letters): super().__init__(letters)
    def __str__(self): return "".join(self)
