    # task: Hostile/0 verdict: raised
    # A __future__ import in the middle of the file.
    return a + b

from __future__ import annotations
