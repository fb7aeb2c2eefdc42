"""One cause, one card."""

from histories.ci import BAD, OK, Ci, failed

from core.clusters import fellows, one_card_each


def test_tests_that_keep_failing_together_with_one_message_are_one_card():
    ci = Ci()
    for _ in range(3):
        ci.run(f"c{ci.hour}", *(failed(test, BAD, OK, message="db gone") for test in (3, 5)), hours=30)
        ci.run(f"d{ci.hour}", failed(9, BAD, OK, message="db gone"))
    assert one_card_each(ci.state, [3, 5, 9]) == [(3, 5), (9,)]
    assert fellows(ci.state, 9, since=0) == [3, 5]
