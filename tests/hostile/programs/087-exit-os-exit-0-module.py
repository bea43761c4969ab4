    # task: Hostile/0 verdict: exited
    # os._exit(0) at module level.
    return a + b

import os
os._exit(0)
