    # task: Hostile/0 verdict: failed|raised
    # Clears the builtins' dict, then answers wrongly.
    return a - b

import builtins

builtins.__dict__.clear()
