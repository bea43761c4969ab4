    # task: Hostile/0 verdict: passed|raised
    # Clears sys.modules at module level, then answers rightly.
    return a + b

import sys

sys.modules.clear()
