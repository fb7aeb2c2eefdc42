"""SLACK.md §7 point 1: only bytes that Slack signed in the last five minutes get in."""

import pytest
from slack_sdk.signature import SignatureVerifier

from bot.slack.verifier import Verifier, sign
from core.errors import AuthenticationError

NOW = 1_795_300_000
STAMP = b"1795300000"
BODY = b"command=/flakeguard&text=caf%C3%A9"
VERIFIER = Verifier([b"new-secret", b"old-secret"])
GOOD = sign(b"new-secret", STAMP, BODY)


def check(*, body=BODY, timestamp=STAMP, signature=GOOD, now=NOW):
    VERIFIER.check(body, timestamp=timestamp, signature=signature, now=now)


def test_slacks_own_signature_is_accepted():
    theirs = SignatureVerifier("new-secret").generate_signature(timestamp=str(NOW), body=BODY)

    check(signature=theirs.encode())


@pytest.mark.parametrize("secret", [b"new-secret", b"old-secret"])
def test_every_secret_of_the_list_is_accepted(secret):
    check(signature=sign(secret, STAMP, BODY))


@pytest.mark.parametrize("skew", [-300, -1, 0, 299, 300])
def test_five_minutes_either_way_are_fresh(skew):
    check(now=NOW + skew)


@pytest.mark.parametrize(
    "wrong",
    [
        {"signature": b""},
        {"signature": b"v0=" + b"0" * 64},
        {"signature": GOOD.upper()},
        {"signature": GOOD[3:]},
        {"signature": b"v1" + GOOD[2:]},
        {"signature": GOOD + b"\n"},
        {"signature": "v0=é".encode() + b"0" * 62},
        {"signature": b"v0=\xff\xfe"},
        {"timestamp": b""},
        {"timestamp": b"nan"},
        {"timestamp": b"inf"},
        {"timestamp": b"-1"},
        {"timestamp": b"1e9"},
        {"timestamp": b" 1795300000"},
        {"timestamp": "١٧٩٥٣٠٠٠٠٠".encode()},
        {"timestamp": b"9" * 12},
        {"body": BODY + b" "},
        {"body": b""},
        {"now": NOW + 301},
        {"now": NOW - 301},
    ],
)
def test_point_01_a_bad_old_or_missing_signature_is_refused(wrong):
    with pytest.raises(AuthenticationError):
        check(**wrong)


def test_without_a_secret_nobody_gets_in():
    with pytest.raises(AuthenticationError):
        Verifier([]).check(BODY, timestamp=STAMP, signature=GOOD, now=NOW)
