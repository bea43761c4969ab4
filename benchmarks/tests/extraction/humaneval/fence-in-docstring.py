def add(a: int, b: int) -> int:
    """Add.

    ```
    add(1, 2)
    ```
    """
    return a + b
