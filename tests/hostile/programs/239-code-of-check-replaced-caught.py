    # task: Hostile/0 verdict: failed|raised
    # Tries to replace check's code, defaults and globals in several ways, then answers wrongly.
    for name, value in (("__code__", (lambda candidate: None)), ("__defaults__", (None,)),
                        ("__kwdefaults__", {"candidate": None}), ("__globals__", {}),
                        ("__builtins__", {}), ("__closure__", None), ("__type_params__", ())):
        for setter in (setattr, object.__setattr__, type(check).__setattr__):
            try:
                setter(check, name, getattr(value, "__code__", value))
            except BaseException:
                pass
    return a - b
