    # task: Hostile/0 verdict: raised|failed
    # An AssertionError from code that claims to be the tests' own file, at module level.
    return a + b

exec(compile("\n" * 2 + "assert False, 'forged'", "<checks>", "exec"))
