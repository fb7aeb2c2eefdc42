from datetime import timedelta

from fakes.tenant import NOW, a_project

from storage.snooze import forget_snoozes, put_snooze, snoozed_tests

DAY = timedelta(days=1)


def test_a_snooze_lasts_until_its_time_and_the_last_word_counts(database):
    project = a_project(database)
    with database.begin() as tx:
        put_snooze(tx, project.id, 5, until=NOW + DAY)
        put_snooze(tx, project.id, 6, until=NOW + DAY)
        put_snooze(tx, project.id, 6, until=NOW + 3 * DAY)
        assert snoozed_tests(tx, project.id, NOW) == {5, 6}
        assert snoozed_tests(tx, project.id, NOW + DAY) == {6}
        assert snoozed_tests(tx, project.id + 1, NOW) == set()


def test_past_snoozes_are_forgotten(database):
    project = a_project(database)
    with database.begin() as tx:
        put_snooze(tx, project.id, 5, until=NOW)
        put_snooze(tx, project.id, 6, until=NOW + DAY)
        assert forget_snoozes(tx, NOW + timedelta(seconds=1)) == 1
        assert snoozed_tests(tx, project.id, NOW) == {6}
