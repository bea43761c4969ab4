#!/usr/bin/env python3
"""Measures llama.cpp on a GGUF file, a round for each line of standard input.

usage: llama_round.py MODEL.gguf THREADS

A line is JSON: {"prompt": [token, …], "write": tokens}. What is printed for it is JSON too: tokens a
second while the prompt was read, and while the answer was written, by the server's own clock.
"""

import json
import sys
import urllib.request

import xllamacpp


def main() -> None:
    model, threads = sys.argv[1], int(sys.argv[2])
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx = 2048
    params.n_batch = 512
    params.n_ubatch = 512
    params.n_parallel = 1
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    server = xllamacpp.Server(params)
    url = f"{server.listening_address}/completion"
    for line in sys.stdin:
        asked = json.loads(line)
        body = {
            "prompt": asked["prompt"],
            "n_predict": asked["write"],
            "temperature": 0,
            "cache_prompt": False,
            "ignore_eos": True,
        }
        request = urllib.request.Request(
            url, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=600) as answer:
            timings = json.load(answer)["timings"]
        read, written = timings["prompt_per_second"], timings["predicted_per_second"]
        print(json.dumps({"read": read, "written": written, "tokens": timings["prompt_n"]}), flush=True)


main()
