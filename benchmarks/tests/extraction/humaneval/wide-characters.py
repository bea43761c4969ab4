def add(größe, b):
    # ½ → ✓
    return größe + b
