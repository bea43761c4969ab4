    # task: Hostile/0 verdict: raised
    # A message of lone surrogates, NULs and escapes, which no UTF-8 can hold.
    raise ValueError("\ud800 \udcff \x00 \x1b[2J \uffff")
