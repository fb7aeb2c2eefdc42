"""One attempt, over real sockets: what the receiver gets, and what every kind of answer is taken for."""

import contextlib
import json
import socket
import ssl
from datetime import timedelta
from email.utils import format_datetime
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fakes.receiver import Reply
from fakes.shop import Shop
from fakes.webhook_office import OPERATOR, wall_clock
from standardwebhooks import Webhook

from bot.settings import Settings
from bot.webhooks import exchange, making
from core.reach import UnreachableError, reach_of
from core.run import Run
from core.tenancy import Person, Via
from jobs.deliver import deliver_due
from jobs.ingest import ingest_report
from jobs.propose import propose
from storage.test_case import search_tests


def test_what_is_sent_is_what_the_standard_says(office, receivers):
    receiver = receivers()
    number, secret = office.endpoint(receiver.url)
    message = office.tries(number)
    [seen] = receiver.seen
    content = Webhook(secret).verify(seen.body, seen.headers)
    assert (content["type"], set(content)) == ("webhook.test", {"type", "timestamp", "data"})
    assert (seen.id, seen.path) == (message.key, "/hook")
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["user-agent"].startswith("FlakeGuard/")
    assert (message.state, message.status, office.ended) == ("delivered", 200, ["delivered"])


def test_while_the_secret_rotates_old_and_new_receivers_are_content(office, receivers):
    receiver = receivers()
    number, old = office.endpoint(receiver.url)
    _, new = making.rotate(office.desk, office.settings, number, by=OPERATOR, overlap=timedelta(hours=1))
    office.tries(number)
    for secret in (old, new):
        Webhook(secret).verify(receiver.seen[0].body, receiver.seen[0].headers)
    making.rotate(office.desk, office.settings, number, by=OPERATOR, overlap=timedelta())
    office.tries(number)
    assert receiver.seen[1].headers["webhook-signature"].count("v1,") == 1


def test_secrets_do_not_lie_in_the_database_in_clear(office, receivers):
    number, secret = office.endpoint(receivers().url)
    found = office.found(number)
    assert secret.startswith("whsec_")
    assert secret.encode() not in found.secret
    assert found.secret.startswith(b"gAAAA")


def test_with_another_key_nothing_is_sent_unsigned(office, receivers):
    receiver = receivers()
    number, _ = office.endpoint(receiver.url)
    office.settings = Settings(_env_file=None, FLAKEGUARD_SECRET_KEY=Fernet.generate_key().decode())
    office.hurries(5)
    assert "FLAKEGUARD_SECRET_KEY is another one" in office.tries(number).error
    assert receiver.seen == []


@pytest.mark.parametrize(
    ("reply", "status", "said"),
    [
        (Reply(500, body=b"no \x1b[31mluck\x00"), 500, "It answered 500: no [31mluck"),
        (Reply(404), 404, "It answered 404."),
        (Reply(400, body=b"bad signature"), 400, "It answered 400: bad signature"),
        (Reply(302, headers={"Location": "http://127.0.0.1:1/"}), 302, "redirects are not followed"),
        (Reply(307, headers={"Location": "/elsewhere"}), 307, "redirects are not followed"),
        (Reply(410), 410, "410 Gone"),
        (Reply(500, body=b"x" * 10**6), 500, "It answered 500: " + "x" * 200),
        (Reply(drop=True), None, "broke off before the answer"),
    ],
)
def test_what_is_no_success_is_said_in_words(office, receivers, reply, status, said):
    receiver = receivers(reply)
    number, _ = office.endpoint(receiver.url)
    message = office.tries(number)
    assert (message.state in {"pending", "failed"}, message.status) == (True, status)
    assert said in message.error
    assert len(message.error) < 300
    assert len(receiver.seen) == 1


@pytest.mark.parametrize(
    "reply",
    [Reply(204), Reply(200, body=b"y" * 10**6), Reply(202, endless=True)],
    ids=["none", "long", "endless"],
)
def test_success_is_success_however_much_the_receiver_has_to_say(office, receivers, reply):
    number, _ = office.endpoint(receivers(reply).url)
    assert office.tries(number).state == "delivered"


@pytest.mark.parametrize(
    ("raw", "arrived"),
    [
        (b"\x16\x03\x01 nothing like HTTP\r\n\r\n", False),
        (b"HTTP/1.1 banana\r\n\r\n", False),
        (b"HTTP/1.1 999 What\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000 + b"\r\n", False),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, False),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x00", True),
        (b"HTTP/1.0 204 No Content\r\n\r\n", True),
    ],
)
def test_whatever_a_receiver_writes_is_an_answer_or_a_failure_in_words(office, receivers, raw, arrived):
    number, _ = office.endpoint(receivers(Reply(raw=raw)).url)
    message = office.tries(number)
    assert (message.state == "delivered") is arrived, message.error
    assert "could not be sent" not in message.error
    assert office.found(number).off == ""


@pytest.mark.parametrize("reply", [Reply(hang=True), Reply(drip=True)], ids=["hangs", "drips"])
def test_a_receiver_has_so_much_time_and_no_more(office, receivers, reply):
    number, _ = office.endpoint(receivers(reply).url)
    office.hurries(1.0)
    message = office.tries(number)
    assert message.error == "It did not answer within 1 seconds."
    assert office.ended == ["unreachable"]


def test_nobody_listens_there(office, receivers):
    receiver = receivers()
    receiver.close()
    number, _ = office.endpoint(receiver.url)
    assert "No connection could be made" in office.tries(number).error


@pytest.fixture
def silent():
    """An address of this machine that answers no connection, and its port: its queue is full."""
    with socket.socket() as listener, contextlib.ExitStack() as held:
        listener.bind(("127.0.0.2", 0))
        listener.listen(0)
        for _ in range(8):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()


def test_an_address_that_keeps_silent_leaves_time_for_the_next(silent):
    dead, port = silent
    with socket.create_server(("127.0.0.1", port)):
        guard = exchange.Guard(
            reach_of([], at_home=True),
            exchange.Deadline(3),
            plain=True,
            look_up=lambda *_: [dead, "127.0.0.1"],
        )
        stream = guard.connect_tcp("hooks.example.com", port)
        assert stream.get_extra_info("server_addr") == ("127.0.0.1", port)
        stream.close()


def test_a_name_that_does_not_exist(office):
    number, _ = office.endpoint("https://nobody.invalid/")
    assert "There is no host of the name nobody.invalid" in office.tries(number).error


@pytest.mark.parametrize("asked", ["3600", "date", " 3600 "])
def test_retry_after_is_honoured_in_seconds_and_as_a_date(office, receivers, asked):
    until = wall_clock() + timedelta(hours=1)
    text = format_datetime(until, usegmt=True) if asked == "date" else asked
    number, _ = office.endpoint(receivers(Reply(503, headers={"Retry-After": text})).url)
    message = office.tries(number)
    assert abs(message.due_at - until) < timedelta(minutes=2)


BEYOND = f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT"
"""A date no calendar has."""


@pytest.mark.parametrize("asked", ["", "soon", "-5", "1e9", "9" * 30, "Mon, 99 Foo", BEYOND])
def test_a_retry_after_that_means_nothing_is_no_wish(office, receivers, asked):
    number, _ = office.endpoint(receivers(Reply(503, headers={"Retry-After": asked})).url)
    assert office.tries(number).due_at < wall_clock() + timedelta(minutes=1)


def test_success_is_success_whatever_stands_in_its_retry_after(office, receivers):
    number, _ = office.endpoint(receivers(Reply(200, headers={"Retry-After": BEYOND})).url)
    assert office.tries(number).state == "delivered"


def test_a_message_about_a_test_leads_to_its_page(office, receivers):
    receiver, run = receivers(), Run("1", "c1", "main", wall_clock())
    ingest_report(office.desk, office.project.id, run, [Shop.case("test_login", "flaky", "boom")])
    office.endpoint(receiver.url, events=["quarantine.proposed"])
    with office.desk.database.read() as tx:
        [test] = search_tests(tx, office.project.id, "test_login")
    propose(office.desk, project_id=office.project.id, test_id=test.id, by=Person("ann", Via.API))
    deliver_due(office.desk)
    data = json.loads(receiver.seen[0].body)["data"]
    assert data["url"] == f"http://127.0.0.1:8000/web/acme/web/tests/{test.id}"
    assert data["by"] == {"user": "ann", "via": "api"}


# -- where it may go


def test_what_a_name_stands_for_is_checked_when_it_is_called(office, receivers):
    """The address was allowed when it was given; the server is not at home any more."""
    receiver = receivers()
    number, _ = office.endpoint(f"http://localhost:{receiver.port}/hook")
    settings = office.settings.model_copy(update={"base_url": "https://flakeguard.example"})
    office.settings = settings
    office.hurries(30)
    message = office.tries(number)
    assert "is not a public address" in message.error
    assert receiver.seen == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1", "0x7f000001", "2130706433", "0"])
def test_no_way_of_writing_it_leads_to_this_machine(receivers, host):
    receiver = receivers()
    with pytest.raises(UnreachableError):
        exchange.post(f"http://{host}:{receiver.port}/", b"{}", {}, reach=reach_of([], at_home=False))
    assert receiver.seen == []


@pytest.mark.parametrize("scheme", ["http", "HTTP", "Http"])
def test_however_http_is_written_it_does_not_leave_the_house(scheme):
    reach = reach_of(["10.1.0.0/16"], at_home=False)
    url = reach.check_url(f"{scheme}://hooks.intranet/").replace("hooks.intranet", "8.8.8.8")
    with pytest.raises(UnreachableError, match="https"):
        exchange.post(url, b"{}", {}, reach=reach, seconds=1)


def test_a_redirect_into_the_house_is_not_followed(office, receivers):
    inside = receivers()
    outside = receivers(Reply(307, headers={"Location": inside.url}))
    number, _ = office.endpoint(outside.url)
    office.tries(number)
    assert (len(outside.seen), inside.seen) == (1, [])


# -- TLS


@pytest.fixture
def certificate(tmp_path):
    """One for 127.0.0.1 that only those trust who are told to."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(wall_clock() - timedelta(days=1))
        .not_valid_after(wall_clock() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "tls.pem"
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(made.public_bytes(pem) + secret)
    return file


@pytest.fixture
def tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def authority(monkeypatch):
    """Name a house's own; what the process trusts is read once, so it is read anew before and after."""
    exchange._trust.cache_clear()
    yield lambda file: monkeypatch.setenv("SSL_CERT_FILE", str(file))
    exchange._trust.cache_clear()


def test_a_certificate_nobody_vouches_for_is_refused(office, receivers, tls, authority):
    receiver = receivers(tls=tls)
    number, _ = office.endpoint(receiver.url)
    assert "CERTIFICATE_VERIFY_FAILED" in office.tries(number).error
    assert receiver.seen == []


def test_a_houses_own_authority_is_trusted_when_it_is_named(office, receivers, tls, certificate, authority):
    authority(certificate)
    receiver = receivers(tls=tls)
    number, _ = office.endpoint(receiver.url)
    assert office.tries(number).state == "delivered"
