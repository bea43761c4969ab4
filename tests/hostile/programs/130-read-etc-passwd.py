    # task: Hostile/0 verdict: raised
    # Reads /etc/passwd.
    with open("/etc/passwd") as file:
        return file.read()
