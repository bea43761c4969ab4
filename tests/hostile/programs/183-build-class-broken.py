    # task: Hostile/0 verdict: passed
    # Breaks __build_class__, then answers rightly; the tests define no class.
    return a + b

import builtins

builtins.__build_class__ = None
