    # task: Hostile/1 verdict: failed|raised
    # Answers with a MagicMock that is set up to satisfy tolerances.
    from unittest import mock
    liar = mock.MagicMock()
    liar.__sub__.return_value = 0.0
    liar.__add__.return_value = 0.0
    liar.__round__.return_value = 3.0
    return liar
