"""One of these fails without a cause about every third time."""


def test_an_order_is_stored(store):
    store.rows["order"] = 1
    assert "order" in store.rows


def test_payment_settles_in_time(bad_luck):
    waited = 41 if bad_luck("payment 218728") else 18
    assert waited < 30, f"payment took {waited} ms, more than 30"


def test_a_receipt_is_written(store):
    store.rows["receipt"] = 1
    assert store.rows["receipt"] == 1
