    # task: Hostile/0 verdict: passed
    # Honest: handles an error and prints its traceback with traceback.format_exc.
    import traceback
    try:
        {}["missing"]
    except KeyError:
        text = traceback.format_exc()
        print(text)
        traceback.print_exc()
    return a + b if "KeyError" in text else None
