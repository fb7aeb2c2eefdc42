from ipaddress import IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ValidationError
from core.reach import Reach, UnreachableError, inner, public, reach_of

ABROAD, AT_HOME = reach_of([], at_home=False), reach_of([], at_home=True)
INTRANET = reach_of(["10.1.0.0/16", "fd00:1::/32"], at_home=False)

PRIVATE = [
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.0", "255.255.255.255", "224.0.0.1", "240.0.0.1", "198.18.0.1", "192.0.2.1",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b::7f00:1",
    "2002:7f00:1::", "2002:a00:1::1", "::127.0.0.1",
]  # fmt: skip
PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", PRIVATE)
@pytest.mark.parametrize("plain", [True, False])
def test_no_webhook_goes_into_anybodys_own_network(address, plain):
    with pytest.raises(UnreachableError):
        ABROAD.check(ip_address(address), plain=plain)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_reached_over_tls_alone(address):
    ABROAD.check(ip_address(address), plain=False)
    with pytest.raises(UnreachableError, match="https"):
        ABROAD.check(ip_address(address), plain=True)


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "fd00:1::7"])
@pytest.mark.parametrize("plain", [True, False])
def test_a_network_of_ones_own_is_opened_by_its_name(address, plain):
    INTRANET.check(ip_address(address), plain=plain)


@pytest.mark.parametrize("address", ["10.2.0.1", "127.0.0.1", "169.254.169.254", "fd00:2::1"])
def test_what_lies_beside_an_opened_network_stays_closed(address):
    with pytest.raises(UnreachableError):
        INTRANET.check(ip_address(address), plain=False)


def test_a_server_at_home_reaches_its_own_machine_and_no_other():
    AT_HOME.check(ip_address("127.0.0.1"), plain=True)
    AT_HOME.check(ip_address("::1"), plain=True)
    with pytest.raises(UnreachableError):
        AT_HOME.check(ip_address("10.0.0.1"), plain=True)


@pytest.mark.parametrize(
    ("reach", "url"),
    [
        (ABROAD, "https://hooks.example.com/x?key=1"),
        (ABROAD, "https://8.8.8.8:8443/x"),
        (AT_HOME, "http://localhost:9000"),
        (AT_HOME, "http://[::1]:9000/x"),
        (INTRANET, "http://hooks.intranet/x"),
        (INTRANET, "http://10.1.2.3/x"),
    ],
)
def test_an_address_is_kept_as_it_was_given(reach, url):
    assert reach.check_url(f" {url}#part ") == url


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("", "looks like"),
        ("hooks.example.com", "looks like"),
        ("ftp://hooks.example.com", "looks like"),
        ("file:///etc/passwd", "looks like"),
        ("https://", "looks like"),
        ("https://hooks.example.com\\@10.0.0.1/", "looks like"),
        ("https://user:secret@hooks.example.com/", "no user"),
        ("https://@hooks.example.com/", "no user"),
        ("https://hooks.example.com:99999/", "not a URL"),
        ("https://hooks.example.com:x/", "not a URL"),
        ("https://[::1/", "not a URL"),
        ("https://bücher.example/", "ASCII"),
        ("https://hooks.example.com/a b", "ASCII"),
        ("https://hooks.example.com/\r\nx: y", "ASCII"),
        (f"https://hooks.example.com/{'x' * 2000}", "2000"),
        ("http://hooks.example.com/", "https"),
    ],
)
@pytest.mark.parametrize("reach", [ABROAD, AT_HOME])
def test_an_address_that_cannot_be_is_refused_in_words(reach, url, complaint):
    with pytest.raises(ValidationError, match=complaint):
        reach.check_url(url)


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/", "http://localhost/", "https://db.localhost/", "https://[::ffff:10.0.0.1]/",
     "https://169.254.169.254/latest/meta-data"],
)  # fmt: skip
def test_a_private_address_is_refused_when_it_is_given(url):
    with pytest.raises(UnreachableError, match="FLAKEGUARD_WEBHOOK_NETWORKS"):
        ABROAD.check_url(url)


def test_nothing_is_open_by_itself():
    assert Reach() == ABROAD
    assert not any(public(ip_address(one)) for one in PRIVATE if ":" not in one)


@given(st.integers(0, 2**32 - 1))
def test_an_address_in_disguise_is_the_address_it_leads_to(number):
    """Mapped, 6to4 and NAT64 forms are opened and closed with the IPv4 address inside them."""
    plain = ip_address(number)
    disguises = (0xFFFF << 32 | number, 0x2002 << 112 | number << 80, 0x64FF9B << 96 | number)
    assert {inner(IPv6Address(one)) for one in disguises} == {plain}
