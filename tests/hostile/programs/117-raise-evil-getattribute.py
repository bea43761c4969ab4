    # task: Hostile/0 verdict: raised
    # An exception whose every attribute raises, __traceback__ and args included.
    class Evil(Exception):
        def __getattribute__(self, name):
            raise SystemExit(0)
    raise Evil("x")
