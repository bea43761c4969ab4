from functools import lru_cache

@lru_cache(maxsize=None)
# cached
@lru_cache
def add(a, b):
    return a + b

add.note = "cached"
