    # task: Hostile/0 verdict: passed
    # Turns every warning into an error, then answers rightly.
    return a + b

import warnings

warnings.simplefilter("error")
warnings.showwarning = None
