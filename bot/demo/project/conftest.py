"""Fixtures of the demo project."""

import os
import random

import pytest
from shop.store import Store


@pytest.fixture
def store():
    return Store.connect()


@pytest.fixture
def weather():
    """Luck that has nothing to do with the code: another one in every CI attempt, the same when replayed."""
    return random.Random(os.environ.get("SHOP_WEATHER", ""))
