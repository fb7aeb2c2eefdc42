"""Fixtures of the demo project."""

import os
import random

import pytest
from shop.store import Store


@pytest.fixture
def store():
    return Store.connect()


@pytest.fixture
def bad_luck():
    """Luck that has nothing to do with the code: another one in every CI attempt, the same when replayed."""
    weather = os.environ.get("SHOP_WEATHER", "")
    return lambda of: random.Random(f"{of} {weather}").random() < 0.35
