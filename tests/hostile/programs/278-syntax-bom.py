    # task: Hostile/0 verdict: raised
    # A byte order mark in the middle of the text.
    return a + b

﻿x = 1
