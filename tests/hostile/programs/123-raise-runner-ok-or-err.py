    # task: Hostile/0 verdict: raised
    # Raises the component runtime's own Err around an Ok, if it can be imported.
    import componentize_py_types
    raise componentize_py_types.Err(componentize_py_types.Ok(None))
