#!/usr/bin/env python3
"""Starts llama.cpp's server on a free port of this machine, and prints the port.

usage: llama_server.py MODEL.gguf

Ends when its standard input does, so that a test which dies leaves no server behind.
"""

import sys

import xllamacpp


def main() -> None:
    params = xllamacpp.CommonParams()
    params.model.path = sys.argv[1]
    # Reasoning stays in the text, as most servers leave it.
    params.reasoning_format = xllamacpp.common_reasoning_format.COMMON_REASONING_FORMAT_NONE
    params.n_ctx = 1024
    params.n_parallel = 1
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = 1
    params.use_jinja = True
    params.warmup = False
    server = xllamacpp.Server(params)
    print(server.listening_address.rsplit(":", 1)[1], flush=True)
    sys.stdin.read()


main()
