"""A strict, stateful Slack stand-in on loopback: the Web API over real HTTP, Socket Mode over a real WebSocket.

It keeps what a workspace keeps (channels, messages, dialogs, tabs, people, groups), refuses what Slack refuses,
and fails on demand: 429, 500, resets before and after the effect, cut replies, silence, any error code. It draws
nothing. Nothing here knows how FlakeGuard works inside: it is reached through SLACK_API_URL alone.
"""

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from aiohttp import WSMsgType, web

from bot.slack.validate import problems

wall = time.time  # noqa: TID251 - Slack has a clock of its own
TEAM, ENTERPRISE, BOT_USER, BOT_ID = "T01ACME", None, "U0BOT", "B0BOT"
TRIGGER_SECONDS = 3.0
MAX_RESPONSE_USES = 5
MAX_STACK = 3


@dataclass
class Channel:
    """One conversation."""

    id: str
    name: str = "ci"
    member: bool = True
    archived: bool = False
    messages: list = field(default_factory=list)


@dataclass
class Fault:
    """What happens to the next `times` calls of `method` (`*`: any); `*_after`: once it has had its effect."""

    method: str
    kind: str
    times: int = 1
    retry_after: float = 1.0
    seconds: float = 30.0
    code: str = ""


class Refused(Exception):  # noqa: N818 - it is what Slack says
    """`ok: false`."""

    def __init__(self, code, **more):
        super().__init__(code)
        self.code, self.more = code, more


class FakeSlack:
    """Start it, point SLACK_API_URL at `api_url`, look at what it holds."""

    def __init__(
        self, *, scopes=("chat:write", "commands", "users:read", "usergroups:read", "channels:history")
    ):
        self.bot_token, self.app_token = "xoxb-test-token", "xapp-test-token"
        self.scopes = set(scopes)
        self.team = TEAM
        self.installs = {"code-1": ("xoxb-second", "T02OTHER", "Other")}
        self.tokens = {self.bot_token: TEAM}
        self.channels = {"C01CI": Channel("C01CI")}
        self.users = {}
        self.groups = {}
        self.views, self.homes, self.stacks = {}, {}, {}
        self.ephemerals, self.answers, self.calls = [], [], []
        self.faults = []
        self.pace = 0.0
        """Seconds Slack wants between two messages in a channel; 0 does not look."""
        self.refuses = set()
        """Block types this workspace does not know."""
        self.sockets, self.acks = [], {}
        self.changed = threading.Condition()
        self._ids = itertools.count(1)
        self._triggers, self._responses = {}, {}
        self._last_post = {}

    # -- life -----------------------------------------------------------------------------------------

    def __enter__(self):
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(10), "the stand-in did not start"
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _run(self, ready):
        asyncio.run(self._serve(ready))

    async def _serve(self, ready):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=4_000_000)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_post("/response/{token}", self._response)
        app.router.add_get("/socket/{ticket}", self._socket)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]
        ready.set()
        await self._stop.wait()
        for socket in list(self.sockets):
            await socket.close()
        await runner.cleanup()

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_url(self):
        return f"{self.origin}/api/"

    # -- what a test says and sees --------------------------------------------------------------------

    def fails(self, method, kind, **more):
        """The next call of this method fails in this way."""
        self.faults.append(Fault(method, kind, **more))

    def heal(self):
        """No more faults."""
        self.faults.clear()

    def trigger(self):
        """A fresh trigger id."""
        trigger = f"{next(self._ids)}.{time.time_ns()}"
        self._triggers[trigger] = time.monotonic()
        return trigger

    def response_url(self):
        """A fresh response_url."""
        token = f"R{next(self._ids)}"
        self._responses[token] = 0
        return f"{self.origin}/response/{token}"

    def until(self, look: Callable, seconds=40.0):
        """Wait until `look()` is true and answer with it."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while not (seen := look()):
                left = deadline - time.monotonic()
                assert left > 0, f"it never happened; calls: {[name for name, _ in self.calls][-12:]}"
                self.changed.wait(min(left, 0.05))
        return seen

    def messages(self, channel="C01CI", *, thread=None):
        """What a channel shows: root messages, or the replies of one."""
        return [
            message
            for message in self.channels[channel].messages
            if (message.get("thread_ts") or None) == thread and not message.get("deleted")
        ]

    def called(self, method):
        """Every payload this method was called with."""
        return [payload for name, payload in self.calls if name == method]

    # -- the Web API ----------------------------------------------------------------------------------

    async def _api(self, request):
        method = request.match_info["method"]
        payload = await _payload(request)
        with self.changed:
            self.calls.append((method, payload))
            fault = self._fault(method)
            self.changed.notify_all()
        if fault and fault.kind in {"429", "500", "error", "reset_before", "hang"}:
            return await self._fail(request, fault)
        answer = self._answer(method, payload, request)
        if fault:
            return await self._fail(request, fault, answer)
        return web.json_response(answer, headers={"x-oauth-scopes": ",".join(sorted(self.scopes))})

    def _fault(self, method):
        for fault in self.faults:
            if fault.method in {method, "*"} and fault.times > 0:
                fault.times -= 1
                return fault
        return None

    async def _fail(self, request, fault, answer=None):
        match fault.kind:
            case "429":
                body = {"ok": False, "error": "ratelimited"}
                return web.json_response(body, status=429, headers={"Retry-After": f"{fault.retry_after:g}"})
            case "500":
                return web.Response(status=500, text="<html>Server Error</html>")
            case "error":
                return web.json_response({"ok": False, "error": fault.code})
            case "hang" | "hang_after":
                await asyncio.wait([asyncio.ensure_future(self._stop.wait())], timeout=fault.seconds)
            case "truncated":
                whole = json.dumps(answer).encode()
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(whole)}\r\n\r\n"
                request.transport.write(head.encode() + whole[: len(whole) // 2])
                await asyncio.sleep(0.05)
        request.transport.abort()
        return web.Response()

    def _answer(self, method, payload, request):
        handler = getattr(self, "do_" + method.replace(".", "_"), None)
        if handler is None:
            return {"ok": False, "error": "unknown_method", "req_method": method}
        try:
            with self.changed:
                self._authorize(method, payload, request)
                said = handler(payload)
                self.changed.notify_all()
        except Refused as refusal:
            return {"ok": False, "error": refusal.code, **refusal.more}
        return {"ok": True, **said}

    def _authorize(self, method, payload, request):
        if method == "oauth.v2.access":
            return
        token = request.headers.get("Authorization", "").removeprefix("Bearer ") or payload.get("token", "")
        if not token:
            raise Refused("not_authed")
        if method == "apps.connections.open":
            if token != self.app_token:
                raise Refused("not_allowed_token_type")
            return
        if token not in self.tokens:
            raise Refused("token_revoked" if token.startswith("xoxb-") else "invalid_auth")
        payload["_team"] = self.tokens[token]

    def _needs(self, scope):
        if scope not in self.scopes:
            raise Refused("missing_scope", needed=scope, provided=",".join(sorted(self.scopes)))

    def do_auth_test(self, payload):
        return {"url": self.origin, "team": "Acme", "user": "flakeguard", "team_id": payload["_team"],
                "user_id": BOT_USER, "bot_id": BOT_ID}  # fmt: skip

    def do_chat_postMessage(self, payload):  # noqa: N802 - Slack's own name
        channel = self._channel(payload)
        self._judge(payload, "message")
        since = time.monotonic() - self._last_post.get(channel.id, -1e9)
        if self.pace and since < self.pace:
            raise Refused("ratelimited")
        self._last_post[channel.id] = time.monotonic()
        ts = f"{int(wall())}.{next(self._ids):06d}"
        message = {"type": "message", "ts": ts, "bot_id": BOT_ID, "user": BOT_USER, "edits": 0, "at": wall(),
                   **{key: value for key, value in payload.items() if key not in {"channel", "_team"}}}  # fmt: skip
        channel.messages.append(message)
        return {"channel": channel.id, "ts": ts, "message": message}

    def do_chat_update(self, payload):
        channel = self._channel(payload)
        self._judge(payload, "message")
        message = self._message(channel, payload.get("ts"))
        for name in ("text", "blocks", "metadata"):
            if name in payload:
                message[name] = payload[name]
        message["edits"] += 1
        return {"channel": channel.id, "ts": message["ts"], "text": message["text"]}

    def do_chat_postEphemeral(self, payload):  # noqa: N802
        channel = self._channel(payload)
        self._judge(payload, "message")
        if not payload.get("user"):
            raise Refused("user_not_in_channel")
        self.ephemerals.append({**payload, "channel": channel.id})
        return {"message_ts": f"{wall():.6f}"}

    def do_conversations_history(self, payload):
        self._needs("channels:history")
        return self._page(payload, self.messages(self._channel(payload).id))

    def do_conversations_replies(self, payload):
        self._needs("channels:history")
        channel = self._channel(payload)
        root = [self._message(channel, payload.get("ts"))]
        return self._page(payload, root + self.messages(channel.id, thread=payload["ts"]))

    def _page(self, payload, found):
        oldest, limit = float(payload.get("oldest") or 0), int(payload.get("limit") or 100)
        seen = [message for message in reversed(found) if float(message["ts"]) >= oldest]
        begin = int(payload.get("cursor") or 0)
        shown = [
            message
            if str(payload.get("include_all_metadata")).lower() in {"true", "1"}
            else _without(message)
            for message in seen[begin : begin + limit]
        ]
        more = begin + limit < len(seen)
        return {"messages": shown, "has_more": more,
                "response_metadata": {"next_cursor": str(begin + limit) if more else ""}}  # fmt: skip

    def do_views_open(self, payload):
        self._spend(payload)
        view = self._stored(payload, "modal")
        self.stacks[view["id"]] = [view["id"]]
        return {"view": view}

    def do_views_push(self, payload):
        self._spend(payload)
        view = self._stored(payload, "modal")
        stack = next(iter(self.stacks.values()), [])
        if len(stack) >= MAX_STACK:
            raise Refused("push_limit_reached")
        stack.append(view["id"])
        return {"view": view}

    def do_views_update(self, payload):
        view = self.views.get(payload.get("view_id"))
        if view is None:
            raise Refused("not_found")
        if payload.get("hash") and payload["hash"] != view["hash"]:
            raise Refused("hash_conflict")
        self._judge_view(payload.get("view"), "modal")
        self.replace_view(view["id"], payload["view"])
        return {"view": self.views[view["id"]]}

    def do_views_publish(self, payload):
        if not payload.get("user_id"):
            raise Refused("invalid_arguments")
        self._judge_view(payload.get("view"), "home")
        self.homes[payload["user_id"]] = payload["view"]
        return {"view": {**payload["view"], "id": f"VH{payload['user_id']}"}}

    def do_users_info(self, payload):
        self._needs("users:read")
        if payload.get("user") not in self.users:
            raise Refused("user_not_found")
        return {"user": {"id": payload["user"], "team_id": TEAM, **self.users[payload["user"]]}}

    def do_usergroups_users_list(self, payload):
        self._needs("usergroups:read")
        if payload.get("usergroup") not in self.groups:
            raise Refused("no_such_subteam")
        return {"users": list(self.groups[payload["usergroup"]])}

    def do_oauth_v2_access(self, payload):
        if payload.get("code") not in self.installs:
            raise Refused("invalid_code")
        token, team, name = self.installs.pop(payload["code"])
        self.tokens[token] = team
        return {"access_token": token, "token_type": "bot", "scope": "commands,chat:write", "bot_user_id": "U0BOT2",
                "team": {"id": team, "name": name}, "enterprise": None}  # fmt: skip

    def do_apps_connections_open(self, _payload):
        return {"url": f"ws://127.0.0.1:{self.port}/socket/{next(self._ids)}"}

    # -- rules ----------------------------------------------------------------------------------------

    def _channel(self, payload):
        channel = self.channels.get(payload.get("channel"))
        if channel is None:
            raise Refused("channel_not_found")
        if channel.archived:
            raise Refused("is_archived")
        if not channel.member:
            raise Refused("not_in_channel")
        return channel

    def _message(self, channel, ts):
        found = next((one for one in channel.messages if one["ts"] == ts and not one.get("deleted")), None)
        if found is None:
            raise Refused("message_not_found")
        return found

    def _judge(self, payload, surface):
        content = {name: payload[name] for name in ("text", "blocks") if name in payload}
        found = problems(content, surface)
        unknown = {block.get("type") for block in payload.get("blocks") or []} & self.refuses
        if found or unknown:
            raise Refused("invalid_blocks", errors=found or sorted(unknown))
        metadata = payload.get("metadata")
        if metadata is not None and not (
            isinstance(metadata, dict)
            and isinstance(metadata.get("event_type"), str)
            and isinstance(metadata.get("event_payload"), dict)
        ):
            raise Refused("invalid_metadata_format")

    def _judge_view(self, view, surface):
        if not isinstance(view, dict):
            raise Refused("invalid_arguments")
        if found := problems(view, surface):
            raise Refused("invalid_arguments", response_metadata={"messages": found})
        if {block.get("type") for block in view["blocks"]} & self.refuses:
            raise Refused("invalid_blocks")

    def _spend(self, payload):
        born = self._triggers.get(payload.get("trigger_id"))
        if born is None:
            raise Refused("invalid_trigger_id")
        if born == "spent":
            raise Refused("exchanged_trigger_id")
        if time.monotonic() - born > TRIGGER_SECONDS:
            raise Refused("expired_trigger_id")
        self._triggers[payload["trigger_id"]] = "spent"

    def _stored(self, payload, surface):
        self._judge_view(payload.get("view"), surface)
        view_id = f"V{next(self._ids)}"
        self.replace_view(view_id, payload["view"])
        return self.views[view_id]

    def replace_view(self, view_id, view, *, unless_changed=None):
        """What an open dialog shows from now on; `unless_changed`: only if it still shows this hash."""
        with self.changed:
            if unless_changed and self.views[view_id]["hash"] != unless_changed:
                return
            self.views[view_id] = {**view, "id": view_id, "hash": f"{next(self._ids)}.h", "team_id": TEAM}
            self.changed.notify_all()

    async def _response(self, request):
        token, payload = request.match_info["token"], await request.json()
        with self.changed:
            self.calls.append(("response_url", payload))
            self.changed.notify_all()
            fault = self._fault("response_url")
            uses = self._responses.get(token)
            if fault is None and (uses is None or uses >= MAX_RESPONSE_USES):
                return web.Response(status=404, text="expired_url")
            if fault is None:
                self._responses[token] = uses + 1
                found = problems(
                    {name: payload[name] for name in ("text", "blocks") if name in payload}, "message"
                )
                unknown = {block["type"] for block in payload.get("blocks", [])} & self.refuses
                if found or unknown:
                    return web.json_response({"ok": False, "error": "invalid_blocks"}, status=400)
                self.answers.append(payload)
                self.changed.notify_all()
        return await self._fail(request, fault) if fault else web.Response(text="ok")

    # -- Socket Mode ----------------------------------------------------------------------------------

    async def _socket(self, request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A0"}})
        with self.changed:
            self.sockets.append(socket)
            self.changed.notify_all()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT and message.data.startswith("{"):
                    self._acked(json.loads(message.data))
        finally:
            self.sockets.remove(socket)
        return socket

    def _acked(self, ack):
        with self.changed:
            self.acks[ack["envelope_id"]] = (time.monotonic(), ack.get("payload"))
            self.changed.notify_all()

    def send(self, kind, payload, *, seconds=8.0, envelope_id=None):
        """One envelope; answers (milliseconds until the ack, what it said)."""
        envelope_id = envelope_id or f"E{next(self._ids)}"
        self.until(lambda: self.sockets)
        envelope = {
            "envelope_id": envelope_id,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": True,
        }
        begin = time.monotonic()
        asyncio.run_coroutine_threadsafe(self.sockets[-1].send_json(envelope), self._loop).result(5)
        at, said = self.until(lambda: self.acks.get(envelope_id), seconds)
        return 1000 * (at - begin), said

    def drop_sockets(self):
        """Cut every connection; the client has to come back."""
        for socket in list(self.sockets):
            asyncio.run_coroutine_threadsafe(socket.close(), self._loop).result(5)


def _without(message):
    return {key: value for key, value in message.items() if key != "metadata"}


async def _payload(request):
    """JSON or form, as the SDK sends them; nested JSON in a form is opened."""
    found = dict(request.query)
    body = await request.read()
    if request.content_type == "application/json" and body:
        found |= json.loads(body)
    elif request.content_type == "application/x-www-form-urlencoded":
        found |= dict(parse_qsl(body.decode(), keep_blank_values=True))
    for name in ("blocks", "view", "metadata"):
        if isinstance(found.get(name), str):
            found[name] = json.loads(found[name])
    return found
