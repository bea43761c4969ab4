    # task: Hostile/0 verdict: raised
    # Recursion through C code (repr, map, sorted) with the limit raised, to overflow the native stack.
    import sys
    sys.setrecursionlimit(10 ** 6)
    class Loop:
        def __repr__(self):
            return "".join(map(repr, sorted([self], key=repr)))
    return repr(Loop())
