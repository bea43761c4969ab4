    # task: Hostile/0 verdict: raised
    # An exception whose __class__ claims to be SystemExit and whose metaclass lies about its name.
    class Meta(type):
        __name__ = property(lambda self: "Returned")
        __module__ = property(lambda self: [][0])
        def __instancecheck__(self, other):
            return True
        __subclasscheck__ = __instancecheck__
    class Evil(Exception, metaclass=Meta):
        __class__ = property(lambda self: SystemExit)
        code = 0
    raise Evil("x")
