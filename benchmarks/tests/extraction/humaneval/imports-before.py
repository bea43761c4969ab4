import os
from math import (
    pi,
    e,
)

def add(a: int, b: int) -> int:
    return a + b
