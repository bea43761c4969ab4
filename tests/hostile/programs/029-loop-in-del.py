    # task: Hostile/0 verdict: out-of-fuel
    # An object's __del__ never returns.
    Sink()
    return a + b

class Sink:
    def __del__(self):
        while True:
            pass
