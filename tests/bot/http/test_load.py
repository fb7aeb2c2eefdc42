"""Too much, too slow, too often: answered in clear words, and nobody else suffers."""

import asyncio
import socket
import threading
import time

import httpx
import pytest
import uvicorn
from http_server import serving, settings_for
from reports import junit


@pytest.fixture
def live(furnished, furnished_url):
    """A real server on a loopback port."""

    stops = []

    def start(**settings):
        server = serving(settings_for(furnished_url, **settings), furnished[1])
        running = uvicorn.Server(
            uvicorn.Config(server.http.app, port=0, log_config=None, access_log=False, lifespan="off")
        )
        thread = threading.Thread(target=running.run, daemon=True)
        thread.start()
        deadline = time.monotonic() + 10
        while not running.started and time.monotonic() < deadline:
            time.sleep(0.01)
        port = running.servers[0].sockets[0].getsockname()[1]
        server.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20)
        server.port = port
        stops.append((running, thread, server))
        return server

    yield start
    for running, thread, server in stops:
        server.http.close()
        running.should_exit = True
        thread.join(10)
        server.desk.database.close()


def sends_head(server, length, path="/api/v1/ingestion/junit?run_id=1&commit=c&branch=main"):
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {server.auth('ingest:trunk')['Authorization']}\r\n"
        f"Content-Length: {length}\r\nContent-Type: application/xml\r\n\r\n"
    )
    connection.sendall(head.encode())
    return connection


def test_a_body_beyond_the_limit_is_refused_in_clear_words(live):
    server = live(FLAKEGUARD_MAX_BODY_BYTES=100_000)
    answer = server.uploads(b"<testsuite>" + b" " * 150_000 + b"</testsuite>")
    assert (answer.status_code, answer.json()["type"]) == (413, "payload_too_large")
    assert "larger than 97 KB" in answer.json()["detail"]


def test_a_body_that_hides_its_length_is_refused_too(live):
    server = live(FLAKEGUARD_MAX_BODY_BYTES=100_000)

    def chunks():
        yield b"<testsuite>"
        for _ in range(20):
            yield b" " * 10_000

    assert server.uploads(chunks()).status_code == 413


def test_a_huge_declared_length_is_refused_before_it_is_sent(live):
    server = live(FLAKEGUARD_MAX_BODY_BYTES=100_000)
    with sends_head(server, 10**12) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_a_body_of_json_has_its_own_smaller_limit(server):
    answer = server.post("/approvers", {"user": "U" * 2_000_000})
    assert (answer.status_code, answer.json()["type"]) == (413, "payload_too_large")


def test_a_body_that_does_not_arrive_is_given_up(live):
    server = live(FLAKEGUARD_BODY_TIMEOUT=0.3)
    with sends_head(server, 100) as connection:
        connection.sendall(b"<testsuite>")
        assert connection.recv(100).startswith(b"HTTP/1.1 408")


def test_half_sent_uploads_hurt_nobody_else(live):
    server = live(FLAKEGUARD_MAX_IN_FLIGHT=4)
    half = [sends_head(server, 1000) for _ in range(50)]
    answer = server.uploads(junit("a"))
    for connection in half:
        connection.close()
    assert answer.status_code == 201


def test_more_work_than_the_server_takes_on_is_answered_503_with_retry_after(live):
    server = live(FLAKEGUARD_MAX_IN_FLIGHT=2)

    async def rush():
        async with httpx.AsyncClient(base_url=str(server.http.base_url), timeout=20) as client:
            asks = [client.get("/api/v1/tests", headers=server.auth("read")) for _ in range(60)]
            return await asyncio.gather(*asks)

    with server.desk.database.begin():
        pass
    answers = asyncio.run(rush())
    refused = [answer for answer in answers if answer.status_code == 503]
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert refused
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}
    assert server.get("/tests").status_code == 200


class TestRates:
    def test_a_token_that_asks_too_often_is_told_when_to_come_back(self, furnished, furnished_url):
        server = serving(settings_for(furnished_url, FLAKEGUARD_TOKEN_RATE="3/minute"), furnished[1])
        answers = [server.get("/runs") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert (answers[3].json()["type"], int(answers[3].headers["retry-after"]) >= 1) == (
            "rate_limit_error",
            True,
        )

    def test_another_token_is_not_held_back(self, furnished, furnished_url):
        server = serving(settings_for(furnished_url, FLAKEGUARD_TOKEN_RATE="1/minute"), furnished[1])
        codes = [server.get("/runs", scope=scope).status_code for scope in ("read", "read", "admin")]
        assert codes == [200, 429, 200]

    def test_an_address_is_counted_before_anything_is_looked_at(self, furnished, furnished_url):
        server = serving(settings_for(furnished_url, FLAKEGUARD_ADDRESS_RATE="2/minute"), furnished[1])
        assert [server.http.get("/nope").status_code for _ in range(3)] == [404, 404, 429]
        assert server.http.get("/health").status_code == 200
