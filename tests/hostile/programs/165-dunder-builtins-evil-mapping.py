    # task: Hostile/1 verdict: failed|raised
    # Gives the globals a dict subclass as __builtins__.
    return 1e300

import builtins

class Evil(dict):
    def __getitem__(self, name):
        if name in ("abs", "round"):
            return lambda *args: 3.0 if name == "round" else 0.0
        return dict.__getitem__(self, name)
    def __missing__(self, name):
        return lambda *args: None

globals()["__builtins__"] = Evil({k: v for k, v in vars(builtins).items() if k not in ("abs", "round")})
