    # task: Hostile/0 verdict: raised
    # Starts a subprocess.
    import subprocess
    subprocess.run(["true"])
    return a + b
