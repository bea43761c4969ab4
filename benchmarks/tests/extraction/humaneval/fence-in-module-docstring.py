"""A module.

```python
add(1, 2)
```
"""


def add(a: int, b: int) -> int:
    return a + b
