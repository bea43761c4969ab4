    # task: Hostile/0 verdict: passed
    # Honest: logs through the logging module, which looks at its caller's frame.
    import logging
    logging.basicConfig(level=logging.INFO)
    logging.getLogger("add").warning("adding %r and %r", a, b)
    logging.info("done")
    return a + b
