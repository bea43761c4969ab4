    # The sum of both.
    return (
        a
        + b
    )
