import pytest

from core.reach import Reach
from core.tenancy import Person, Via
from jobs.connect import Listener, add_endpoint
from storage.endpoint import change_endpoint


@pytest.mark.parametrize("whole", [False, True])
def test_status_says_that_a_webhook_was_switched_off_by_its_failures(office, whole):
    project = office.project
    listener = Listener(project.organization_id, None if whole else project.id)
    url, by = "https://hooks.example.com/x", Person("operator", Via.CLI)
    made = add_endpoint(office.desk, listener, url, reach=Reach(), secret=b"sealed", by=by)
    with office.desk.database.begin() as tx:
        change_endpoint(tx, made.id, off="failing")

    office.alice.types("status")

    assert office.alice.answer(f"Webhook {made.id} was switched off")
