from __future__ import annotations
def plus(a, b):
    return a + b
def add(a, b):
    return plus(a, b)
