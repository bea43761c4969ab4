#!/usr/bin/env python3
"""Starts a real Triton server on a free port of this machine, and prints the port.

usage: triton_server.py MODEL_REPOSITORY

The server and its Python backend are those of nvidia-pytriton. It ends when standard input does,
so that a test which dies leaves no server behind.
"""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.error
import urllib.request


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def main() -> None:
    packages = pathlib.Path(sysconfig.get_path("purelib"))
    triton = packages / "pytriton" / "tritonserver"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stub = triton / "python_backend_stubs" / version / "triton_python_backend_stub"
    with tempfile.TemporaryDirectory() as folder:
        # The backend and the stub for this Python belong into one folder.
        backend = pathlib.Path(folder) / "python"
        shutil.copytree(triton / "backends" / "python", backend)
        shutil.copy(stub, backend)
        os.chmod(backend / stub.name, 0o755)
        server = pathlib.Path(folder) / "tritonserver"
        shutil.copy(triton / "bin" / "tritonserver", server)
        os.chmod(server, 0o755)
        environment = dict(os.environ)
        environment["LD_LIBRARY_PATH"] = str(packages / "nvidia_pytriton.libs")
        # The backend takes the packages of the first Python on the path.
        environment["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
        port = free_port()
        command = [
            server,
            f"--model-repository={sys.argv[1]}",
            f"--backend-directory={folder}",
            "--model-control-mode=explicit",
            "--http-address=127.0.0.1",
            f"--http-port={port}",
            "--allow-grpc=false",
            "--allow-metrics=false",
            "--exit-timeout-secs=0",
            "--backend-config=python,shm-region-prefix-name=june" + str(port),
        ]
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            for _ in range(600):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/health/live", timeout=2)
                    break
                except (urllib.error.URLError, OSError):
                    time.sleep(0.1)
            print(port, flush=True)
            sys.stdin.read()
        finally:
            process.kill()
            process.wait()


main()
