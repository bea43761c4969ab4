    # task: Hostile/0 verdict: raised
    # __str__ returns an int, then a str subclass with evil methods.
    class Text(str):
        def __getitem__(self, key):
            raise SystemExit(0)
        def encode(self, *args):
            raise SystemExit(0)
        __len__ = __format__ = __iter__ = __getitem__
    class Evil(BaseException):
        def __str__(self, seen=[]):
            seen.append(1)
            return Text("passed") if len(seen) % 2 else 5
    raise Evil("x")
