"""A CI machine: its environment, its folder, and a FlakeGuard server of a few lines that answers as told."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Service:
    """Answers every upload with `answers` in turn, the last one for good."""

    def __init__(self):
        self.answers = []
        self.seen = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def says(self, *verdicts, status=201, **more):
        failures = [
            {"class": "shop", "name": f"t{n}", "verdict": verdict} for n, verdict in enumerate(verdicts)
        ]
        body = {
            "counts": {"passed": 1, "failed": len(verdicts)},
            "total": 1 + len(verdicts),
            "failures": failures,
        }
        self.answers.append((status, body | more, {}))

    def refuses(self, status, detail="no", **headers):
        self.answers.append((status, {"detail": detail}, headers))

    def _handler(self):
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.seen.append((self.path, dict(self.headers), body))
                status, answer, headers = service.answers[0]
                if len(service.answers) > 1:
                    service.answers.pop(0)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def do_GET(self):
                service.seen.append((self.path, dict(self.headers), b""))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b'{"value": "identity"}')

            def log_message(self, *_):
                pass

        return Handler


@pytest.fixture
def service():
    service = Service()
    yield service
    service.server.shutdown()
    service.server.server_close()
