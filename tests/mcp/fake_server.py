#!/usr/bin/env python3
"""Not a real MCP server: one that means no good, for tests.

usage: fake_server.py HOW [MARK]          over standard input and output
       fake_server.py --http HOW          over HTTP; prints its port first

HOW says what goes wrong at the start; `calls` starts as it should, and has a tool for each thing
that goes wrong in a call. MARK is nothing but a word by which a test finds the process.
"""

import http.server
import json
import subprocess
import sys
import time

CALLS = ["fine", "dies", "hangs", "floods", "asks", "nonsense", "huge", "endless", "long", "steers",
         "refuses", "child"]


def tool(name, description="Fake.", schema=None):
    return {"name": name, "description": description, "inputSchema": schema or {"type": "object"}}


LISTS = {
    "calls": [tool(name) for name in CALLS],
    "many": [tool(f"tool-{number}") for number in range(10_000)],
    "twins": [tool("a.b"), tool("a_b")],
    "longname": [tool("x" * 100)],
    "wordy": [tool("wordy", "word " * 10_000)],
    "schema": [tool("schema", schema={"type": "object", "properties": {"a": {"type": "evil"}}})],
    "far": [tool("far", schema={"type": "object", "$ref": "http://127.0.0.1:9/schema"})],
    "bigschema": [tool("bigschema", schema={"type": "object", "title": "x" * 100_000})],
}


def write(message):
    sys.stdout.write((message if isinstance(message, str) else json.dumps(message)) + "\n")
    sys.stdout.flush()


def result(identity, value):
    return {"jsonrpc": "2.0", "id": identity, "result": value}


def text(identity, content):
    return result(identity, {"content": [{"type": "text", "text": content}]})


def flood(message):
    while True:
        write(message)


def call(name, identity):
    if name == "fine":
        write(text(identity, "as it should be"))
    elif name == "dies":
        print("a last word\x1b[2J", file=sys.stderr, flush=True)
        sys.exit(7)
    elif name == "hangs":
        time.sleep(3600)
    elif name == "floods":
        flood({"jsonrpc": "2.0", "method": "notifications/message",
               "params": {"level": "info", "data": "x" * 100}})
    elif name == "asks":
        for number in range(1_000_000):
            write({"jsonrpc": "2.0", "id": f"q{number}", "method": "roots/list"})
    elif name == "nonsense":
        write("this is no JSON")
        write({"jsonrpc": "2.0", "id": "of nobody", "result": {}})
        write(result(identity, "neither is this an answer"))
    elif name == "huge":
        write(text(identity, "x" * 50_000_000))
    elif name == "endless":
        while True:
            sys.stdout.write("x" * 65536)
    elif name == "long":
        write(text(identity, "x" * 2_000_000))
    elif name == "steers":
        write(text(identity, "\x1b[2J\x1b]0;owned\x07and on"))
    elif name == "refuses":
        write({"jsonrpc": "2.0", "id": identity, "error": {"code": -32000, "message": "\x1b[31mnever"}})
    elif name == "child":
        subprocess.Popen(["sleep", "3600", *sys.argv[2:]], stdin=subprocess.DEVNULL)
        write(text(identity, "it has a child"))


def begin(how):
    if how == "silent":
        time.sleep(3600)
    if how == "exits":
        sys.exit("there is no licence")
    if how == "deaf":
        # Ends its input and stays.
        sys.stdin.close()
        time.sleep(3600)
    if how == "flood":
        flood({"jsonrpc": "2.0", "method": "notifications/message",
               "params": {"level": "info", "data": "x"}})
    if how == "noise":
        flood("not a message " * 1000)


def main(how):
    begin(how)
    for line in sys.stdin:
        request = json.loads(line)
        method, identity = request.get("method"), request.get("id")
        if identity is None:
            continue
        if how == "nonsense":
            write(result(identity, "hello?"))
        elif method == "initialize":
            write(result(identity, {
                "protocolVersion": "2025-06-18", "capabilities": {"tools": {}},
                "serverInfo": {"name": "fake", "version": "1"}}))
        elif method == "tools/list" and how == "pages":
            write(result(identity, {"tools": [], "nextCursor": "again"}))
        elif method == "tools/list":
            write(result(identity, {"tools": LISTS[how]}))
        elif method == "tools/call":
            call(request["params"]["name"], identity)
        else:
            write({"jsonrpc": "2.0", "id": identity,
                   "error": {"code": -32601, "message": "no such method"}})


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        how = sys.argv[2]
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if how == "silent":
            time.sleep(3600)
        if how == "away":
            self.send_response(307)
            self.send_header("Location", f"http://localhost:{self.server.server_port}/elsewhere")
            self.end_headers()
            if self.path == "/elsewhere":
                print("followed", flush=True)
            return
        body = {"huge": b"[" + b" " * 50_000_000, "page": b"<html>hello</html>"}[how]
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if how == "page" else "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if sys.argv[1] == "--http":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
else:
    main(sys.argv[1])
