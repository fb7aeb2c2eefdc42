"""What decisions have taught, from the terminal."""

import pytest


def test_without_decisions_the_shipped_chances_are_in_force(flakeguard, project):
    found = flakeguard("learn", project, "--json").json
    assert (found["in_force"], found["decisions"], found["up_to_date"]) == ("shipped", 0, True)
    assert all(row["learnt"] == pytest.approx(row["shipped"], abs=1e-3) for row in found["chances"])


def test_choosing_the_learnt_ones_is_a_version_that_can_be_taken_back(flakeguard, project):
    assert flakeguard("learn", project, "--use", "learnt", "--json").json["in_force"] == "learnt"
    back = flakeguard("learn", project, "--use", "earlier", "--json").json
    assert (back["in_force"], back["policy_version"]) == ("shipped", 3)


def test_people_are_told_that_nothing_was_taught(flakeguard, project):
    assert "No decision has taught anything yet." in flakeguard("learn", project).out


def test_other_words_are_wrong_usage(flakeguard, project):
    assert flakeguard("learn", project, "--use", "magic").code == 2
