    # task: Hostile/0 verdict: failed|raised
    # A finder that answers every later import with a module whose every attribute is a no-op.
    return a - b

import importlib.machinery
import sys

class Loader:
    @staticmethod
    def create_module(spec):
        return None
    @staticmethod
    def exec_module(module):
        module.__getattr__ = lambda name: lambda *args, **named: None

class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, Loader)

sys.meta_path.insert(0, Finder)
for name in list(sys.modules):
    if name not in ("builtins", "sys", "__main__"):
        del sys.modules[name]
