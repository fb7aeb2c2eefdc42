"""A chat stub over loopback HTTP that writes every post to a file, and the client a separate process speaks through.

Run as a script it is a whole bot process: it approves (or only publishes) and is killed wherever the test wants.
"""

import json
import sys
import threading
import urllib.error
import urllib.request
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import sleep

from core.tenancy import Person, Via
from jobs.chat import UnknownOutcomeError
from jobs.decide import approve
from jobs.desk import Desk
from jobs.publish import publish_due
from storage.database import Database


class Stub:
    """Messages are lines of a file, so that they outlive everybody; `delay` seconds pass before each answer."""

    def __init__(self, path):
        self.path, self.delay, self.received = Path(path), 0.0, threading.Event()
        self.path.touch()
        self._lock = threading.Lock()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = stub.answer(self.path, request)
                stub.received.set()
                threading.Event().wait(stub.delay)
                body = json.dumps(answer).encode()
                try:
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # the caller has been killed meanwhile

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path, request):
        with self._lock:
            lines = self.lines()
            if path == "/find":
                return {"ts": next((one["ts"] for one in lines if one["key"] == request["key"]), None)}
            ts = request["ts"] or f"{len(lines) + 1}.0"
            with self.path.open("a") as file:
                file.write(json.dumps({**request, "ts": ts, "update": bool(request["ts"])}) + "\n")
            return {"ts": ts}

    def lines(self):
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def posts(self):
        return [one for one in self.lines() if not one["update"]]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class LoopbackChat:
    """A Chat whose every call is one HTTP request to the stub."""

    def __init__(self, url):
        self.url = url

    def say(self, place, saying, *, key, ts=None, thread=None):
        state = saying.quarantine.state.value
        return self._call(
            "say", {"channel": place.channel, "key": key, "ts": ts, "thread": thread, "state": state}
        )["ts"]

    def find(self, place, key, *, since, thread=None):
        return self._call("find", {"channel": place.channel, "key": key})["ts"]

    def may_decide_in_group(self, team, group, user):
        return False

    def _call(self, path, body):
        request = urllib.request.Request(f"{self.url}/{path}", json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except (urllib.error.URLError, OSError) as error:
            raise UnknownOutcomeError from error


def main(database_url, stub_url, at, work):
    database = Database.open(database_url, pool_size=2)
    desk = Desk(database, lambda: datetime.fromtimestamp(float(at), UTC), chat=LoopbackChat(stub_url))
    if work != "publish":
        approve(desk, int(work), by=Person("alice", Via.API))
        print("decided", flush=True)
        sleep(60)
    print("publishing", flush=True)
    publish_due(desk)
    print("published", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
