    # task: Hostile/0 verdict: raised
    # A caught exception's tb_frame.
    try:
        1 / 0
    except ZeroDivisionError as error:
        frame = error.__traceback__.tb_frame
        while frame.f_back:
            frame = frame.f_back
        frame.f_globals.clear()
    return a - b
