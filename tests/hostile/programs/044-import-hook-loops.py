    # task: Hostile/0 verdict: out-of-fuel
    # An import hook that never returns.
    import sys
    class Finder:
        @staticmethod
        def find_spec(name, path=None, target=None):
            while True:
                pass
    sys.meta_path.insert(0, Finder)
    import no_such_module_at_all
    return a + b
