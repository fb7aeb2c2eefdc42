"""A Slack room on this machine: enough of the Web API to post, update and look; what is said there can be seen."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

Method = Callable[[dict[str, Any]], dict[str, Any]]
TEAM, BOT, CHANNEL = "T0DEMO", "U0FLAKEGUARD", "C0DEMO"
JSON_FIELDS = ("blocks", "metadata", "view", "attachments")


@dataclass
class Room:
    """One workspace with one channel and everything that was said in it."""

    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    """ts -> message, in the order posted."""
    asides: list[dict[str, Any]] = field(default_factory=list)
    """What only one person saw."""
    changed: threading.Condition = field(default_factory=threading.Condition)

    def open(self) -> str:
        """Start listening on a free loopback port; answers the address for SLACK_API_URL."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_address[1]}/api/"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def cards(self) -> list[dict[str, Any]]:
        """Messages that are no replies, in order."""
        with self.changed:
            return [one for one in self.messages.values() if not one.get("thread_ts")]

    def call(self, method: str, args: dict[str, Any]) -> dict[str, Any]:
        """Answer one Web API call."""
        with self.changed:
            answer = self._answers(method, args)
            self.changed.notify_all()
        return answer

    def _answers(self, method: str, args: dict[str, Any]) -> dict[str, Any]:
        known: dict[str, Method] = {
            "auth.test": lambda _: {
                "team_id": TEAM,
                "team": "demo",
                "user_id": BOT,
                "bot_id": "B0FLAKEGUARD",
            },
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "chat.postEphemeral": self._whisper,
            "conversations.history": lambda _: {"messages": list(reversed(self.messages.values()))},
        }
        answer = known.get(method, _nothing)(args)
        return {"ok": "error" not in answer, **answer}

    def _post(self, args: dict[str, Any]) -> dict[str, Any]:
        ts = f"{1_700_000_000 + len(self.messages)}.000100"
        self.messages[ts] = {**args, "ts": ts}
        return {"channel": args.get("channel"), "ts": ts, "message": self.messages[ts]}

    def _update(self, args: dict[str, Any]) -> dict[str, Any]:
        if args.get("ts") not in self.messages:
            return {"error": "message_not_found"}
        self.messages[args["ts"]].update(args)
        return {"channel": args.get("channel"), "ts": args["ts"]}

    def _whisper(self, args: dict[str, Any]) -> dict[str, Any]:
        self.asides.append(args)
        return {"message_ts": "1.000100"}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        room = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                args = _arguments(self.headers.get("Content-Type", ""), body)
                payload = json.dumps(room.call(self.path.rsplit("/", 1)[-1], args)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *_args: object) -> None:
                """Nothing: the room is quiet."""

        return Handler


def _nothing(_args: dict[str, Any]) -> dict[str, Any]:
    """Every other method is answered with a plain ok."""
    return {}


def _arguments(content_type: str, body: str) -> dict[str, Any]:
    if content_type.startswith("application/json"):
        return dict(json.loads(body or "{}"))
    args: dict[str, Any] = {name: values[-1] for name, values in parse_qs(body).items()}
    return {name: json.loads(value) if name in JSON_FIELDS else value for name, value in args.items()}
