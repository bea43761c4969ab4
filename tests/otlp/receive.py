"""A receiver of OTLP over HTTP in JSON, which holds what it is sent against the project's own
definitions: whatever these do not have is refused.

    receive.py FILE

prints its port, and appends each span that arrives to FILE, as a line of JSON. It ends with its
standard input.
"""

import base64
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


def value(of):
    kind = of.WhichOneof("value")
    if kind == "array_value":
        return [value(each) for each in of.array_value.values]
    return getattr(of, kind)


def attributes(of):
    return {each.key: value(each.value) for each in of}


def read(body):
    """OTLP has identifiers in hexadecimal digits where JSON of protobuf has Base64."""
    request = json.loads(body)
    for resource in request["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for key in ("traceId", "spanId", "parentSpanId"):
                    span[key] = base64.b64encode(bytes.fromhex(span[key])).decode()
    return json_format.ParseDict(request, ExportTraceServiceRequest())


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        fits = (
            self.path == "/v1/traces"
            and self.headers["content-type"] == "application/json"
            and self.headers["authorization"] == "Bearer collector-secret"
        )
        request = read(body) if fits else None
        self.send_response(200 if fits else 400)
        self.send_header("content-type", "application/json")
        answer = json_format.MessageToJson(ExportTraceServiceResponse()).encode()
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        if request is None:
            return
        with open(sys.argv[1], "a", encoding="utf-8") as file:
            for resource in request.resource_spans:
                of = attributes(resource.resource.attributes)
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        line = {
                            "service": of.get("service.name"),
                            "trace": span.trace_id.hex(),
                            "id": span.span_id.hex(),
                            "parent": span.parent_span_id.hex(),
                            "name": span.name,
                            "kind": span.kind,
                            "start": span.start_time_unix_nano,
                            "end": span.end_time_unix_nano,
                            "status": span.status.code,
                            "attributes": attributes(span.attributes),
                            "events": [event.name for event in span.events],
                        }
                        file.write(json.dumps(line) + "\n")

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
