    # task: Hostile/0 verdict: passed
    # A coding cookie that names an encoding that the text is not in.
    # -*- coding: utf-16 -*-
    # vim: set fileencoding=rot13 :
    return a + b

name = "grün 🐛"
assert len(name) == 6
