"""Where pages are, and what may follow a sign-in."""

from urllib.parse import urljoin, urlsplit

import pytest
from fakes.browser import OURS
from hypothesis import given
from hypothesis import strategies as st

from bot.web import addresses
from bot.web.addresses import HOME, local, prefix_of, repository, signin

EVIL = st.text("/\\:@%.#?\t\r\n ev", max_size=30)


@given(EVIL | EVIL.map(lambda text: f"/web/{text}") | st.text())
def test_whatever_is_asked_for_a_sign_in_leads_to_our_pages(text):
    where = urlsplit(urljoin(f"{OURS}/web/signin", local(text)))
    assert (f"{where.scheme}://{where.netloc}", local(text)[:5]) == (OURS, HOME)
    assert not set(local(text)) & set("\\\r\n\t ")


@pytest.mark.parametrize(
    "path", ["/web/", "/web/acme/shop/tests?state=flaky&search=a%20b", "/web/a/b/tests/1?page=2"]
)
def test_our_own_pages_stay_as_they_are(path):
    assert local(path) == path


@pytest.mark.parametrize(
    ("base_url", "prefix"),
    [("https://ci.example", ""), ("https://ci.example/", ""), ("https://ci.example/flakes/", "/flakes")],
)
def test_a_proxy_may_put_a_path_before_ours(base_url, prefix):
    assert prefix_of(base_url) == prefix


def test_names_and_questions_are_quoted():
    assert repository("acme/a b?#") == "/web/acme/a%20b%3F%23"
    assert addresses.tests("acme/shop", state="flaky", search="") == "/web/acme/shop/tests?state=flaky"
    assert signin("/web/a/b?page=2") == "/web/signin?next=%2Fweb%2Fa%2Fb%3Fpage%3D2"
