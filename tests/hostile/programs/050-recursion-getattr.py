    # task: Hostile/0 verdict: raised
    # __getattr__, __call__ and descriptors that call one another for ever.
    class Endless:
        def __getattr__(self, name):
            return getattr(self, name + "x")
        def __call__(self):
            return self.deeper()
    return Endless()()
