    # task: Hostile/0 verdict: failed|raised
    # Answers with a proxy, whose comparison is that of an object that equals everything.
    import weakref
    return weakref.proxy(same)

class Same:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0

same = Same()
