    text = """
sum
  of"""
    assert text
    return a + b
