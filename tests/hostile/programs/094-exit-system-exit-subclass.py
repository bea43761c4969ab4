    # task: Hostile/0 verdict: exited
    # A SystemExit subclass whose code property raises.
    class Leave(SystemExit):
        @property
        def code(self):
            raise KeyError("code")
    raise Leave(0)
