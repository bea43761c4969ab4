#!/usr/bin/env python3
"""Starts `transformers serve` on a free port of this machine, and prints the port.

usage: transformers_server.py MODEL_FOLDER

Ends when its standard input does, so that a test which dies leaves no server behind.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request


def main() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # The model goes by the name that the server was started with: the folder's.
    folder, name = os.path.split(os.path.abspath(sys.argv[1]))
    command = [os.path.join(os.path.dirname(sys.executable), "transformers"), "serve", name]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    quiet = subprocess.DEVNULL
    offline = os.environ | {"HF_HUB_OFFLINE": "1"}
    server = subprocess.Popen(
        command, cwd=folder, env=offline, stdin=quiet, stdout=quiet, stderr=quiet
    )
    try:
        while server.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).close()
                print(port, flush=True)
                break
            except (urllib.error.URLError, TimeoutError):
                time.sleep(0.1)
        sys.stdin.read()
    finally:
        server.kill()


main()
