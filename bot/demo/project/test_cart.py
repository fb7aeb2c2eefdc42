"""Healthy tests."""

import pytest
from shop.money import total


@pytest.mark.parametrize("prices", [[100], [100, 250], [999, 1, 50], []])
def test_total_is_the_sum(prices):
    assert total(prices) == sum(prices)


def test_a_discount_is_taken_off():
    assert total([500], discount=120) == 380


def test_nothing_costs_less_than_nothing():
    assert total([100], discount=300) == 0


@pytest.mark.parametrize("item", ["tea", "cup", "pot", "tray", "spoon", "sugar", "milk", "honey"])
def test_an_item_is_kept(store, item):
    store.rows[item] = 1
    assert store.rows == {item: 1}
