    # task: Hostile/0 verdict: passed
    # Answers rightly only if no file anywhere can be listed, read or written.
    import os
    tries = [lambda: open("/etc/passwd"), lambda: open("/proc/self/environ"),
             lambda: open("june-hostile.tmp", "w"), lambda: open("/tmp/june-hostile.tmp", "w"),
             lambda: os.listdir("/"), lambda: os.listdir("."), lambda: os.mkdir("june-hostile"),
             lambda: os.stat("/etc"), lambda: os.open("/", 0),
             lambda: open("../" * 20 + "etc/hosts"), lambda: os.readlink("/proc/self/exe")]
    for number, attempt in enumerate(tries):
        try:
            attempt()
        except (OSError, AttributeError, NotImplementedError):
            continue
        return f"attempt {number} went through"
    return a + b
