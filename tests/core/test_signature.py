from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from core.signature import headers, make_secret


def now():
    return datetime.now(UTC)  # noqa: TID251 - the reference verifier looks at the real clock


@given(key=st.binary(min_size=24, max_size=64), body=st.text(max_size=200))
def test_the_reference_library_accepts_what_is_signed(key, body):
    secret, sent = make_secret(key), body.encode("utf-8", "replace")
    signed = headers([secret], key="msg_1", at=now(), body=sent)
    Webhook(secret).verify(sent, signed, json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(sent + b"!", signed, json_parse=False)


def test_the_signature_is_the_reference_librarys_own():
    secret, body = make_secret(b"k" * 32), b'{"type":"test.flagged"}'
    at = now()
    signed = headers([secret], key="msg_1", at=at, body=body)
    assert signed["webhook-signature"] == Webhook(secret).sign("msg_1", at, body.decode())


def test_while_a_secret_rotates_both_are_good():
    new, old, other = (make_secret(letter * 32) for letter in (b"n", b"o", b"x"))
    signed = headers([new, old], key="msg_1", at=now(), body=b"{}")
    assert signed["webhook-signature"].count("v1,") == 2
    for secret in (new, old):
        Webhook(secret).verify(b"{}", signed)
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(b"{}", signed)


@pytest.mark.parametrize("size", [0, 16, 23, 65])
def test_a_secret_is_neither_too_short_nor_too_long(size):
    with pytest.raises(ValueError, match="24 to 64"):
        make_secret(b"k" * size)
