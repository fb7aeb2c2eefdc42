"""A change breaks the first of these; it is right to fail, and must never be quarantined."""

from shop.money import refund


def test_half_a_cent_is_rounded_up():
    assert refund(101, "0.5") == 51


def test_a_full_refund_is_everything():
    assert refund(1999, "1") == 1999
