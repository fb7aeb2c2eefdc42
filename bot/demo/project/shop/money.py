"""Prices in cents."""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

ROUNDING = ROUND_HALF_UP


def refund(cents: int, share: str) -> int:
    """The share of a price to give back, rounded like a bank does."""
    return int((Decimal(cents) * Decimal(share)).quantize(Decimal(1), rounding=ROUNDING))


def total(prices: list[int], discount: int = 0) -> int:
    """Sum less discount, never below nothing."""
    return max(0, sum(prices) - discount)


__all__ = ["ROUND_DOWN", "refund", "total"]
