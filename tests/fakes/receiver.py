"""A receiver of webhooks: a real HTTP server on loopback that answers as the test says and remembers what came."""

import contextlib
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LONG = 60
"""Seconds that count as for ever in a test."""


@dataclass(frozen=True)
class Seen:
    """One request as it came."""

    path: str
    headers: dict
    body: bytes

    @property
    def id(self):
        return self.headers["webhook-id"]


@dataclass(frozen=True)
class Reply:
    """One answer to be given."""

    status: int = 200
    headers: dict = field(default_factory=dict)
    body: bytes = b""
    hang: bool = False
    """Never answer."""
    drop: bool = False
    """Take the message and cut the connection: the answer is lost."""
    drip: bool = False
    """A byte of the header now and then."""
    raw: bytes = b""
    """These bytes instead of HTTP."""
    endless: bool = False
    """A body that never ends."""


class Receiver:
    """Answers with the replies in order, the last one again and again."""

    def __init__(self, *replies, tls=None):
        self.replies, self.seen = list(replies) or [Reply()], []
        self.arrived, self.over = threading.Semaphore(0), threading.Event()
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                reply = receiver.take(Seen(self.path, headers, body))
                with contextlib.suppress(OSError):  # the sender has gone
                    receiver.answer(self, reply)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, seen):
        with self._lock:
            self.seen.append(seen)
            reply = self.replies[0] if len(self.replies) == 1 else self.replies.pop(0)
        self.arrived.release()
        return reply

    def answer(self, handler, reply):
        if reply.hang:
            self.over.wait(LONG)
            return
        if reply.drop:
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        if reply.drip:
            self.drips(handler)
            return
        if reply.raw:
            handler.wfile.write(reply.raw)
            return
        handler.send_response(reply.status)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        if not reply.endless:
            handler.send_header("Content-Length", str(len(reply.body)))
        handler.end_headers()
        handler.wfile.write(reply.body)
        while reply.endless and not self.over.wait(0.01):
            handler.wfile.write(b"x" * 1024)

    def drips(self, handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not self.over.wait(0.05):
            handler.wfile.write(b"x")

    @property
    def ids(self):
        return [one.id for one in self.seen]

    def close(self):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()
