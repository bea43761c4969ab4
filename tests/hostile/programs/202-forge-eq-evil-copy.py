    # task: Hostile/2 verdict: failed|raised
    # Answers with containers whose copy, reduce and iteration hooks give back liars, for a runner that copies results.
    return Sly()

class Same:
    def __eq__(self, other): return True

class Sly(tuple):
    def __deepcopy__(self, memo): return Same()
    def __copy__(self): return Same()
    def __reduce_ex__(self, protocol): return (Same, ())
    def __iter__(self): return iter((5, {"h": 1, "e": 1, "l": 2, "o": 1}, ["e", "h", "l", "o"]))
    def __len__(self): return 3
