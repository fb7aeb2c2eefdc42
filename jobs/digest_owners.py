"""Owners' slices of a digest: one reply in its thread for each owner whose tests have failed."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.naming import short_name
from core.tenancy import Project
from jobs.digest_card import ONCE_FLAKY
from storage.database import Tx
from storage.detection import detections
from storage.flake import flakes
from storage.project import get_policy
from storage.test_case import get_tests

MOST = 10
"""Replies under one digest; the table above them has named the worst already."""


@dataclass(frozen=True, slots=True)
class OwnerNews:
    """What one owner's tests did in the period of a digest."""

    owner: str
    days: int
    failures: int
    tests: int
    worst: str

    def payload(self) -> dict[str, str]:
        """The reply's own words; the test's name stays apart, because it is foreign text."""
        failures = "1 failure" if self.failures == 1 else f"{self.failures} failures"
        which = "1 test" if self.tests == 1 else f"{self.tests} tests"
        leads = "it is" if self.tests == 1 else "the worst is"
        text = f"{self.owner}: {failures} from {which} in {self.days} days; {leads}"
        return {"text": text, "test_name": self.worst}


def owner_news(tx: Tx, project: Project, *, until: datetime) -> list[OwnerNews]:
    """The owners with news, most failures first; a test with two owners is news to both."""
    days = get_policy(tx, project.id).digest_days
    known, _ = detections(tx, project.id, states=ONCE_FLAKY, limit=1000)
    ids = [one.test_id for one in known]
    found = flakes(tx, project.id, ids, since=until - timedelta(days=days), until=until)
    failed, tests = Counter(one.test_id for one in found), get_tests(tx, project.id, ids)
    theirs: defaultdict[str, list[int]] = defaultdict(list)
    for test_id, _times in failed.most_common():
        for owner in tests[test_id].owner.split() if test_id in tests else ():
            theirs[owner.removeprefix("@")].append(test_id)
    news = [
        OwnerNews(owner, days, sum(failed[one] for one in mine), len(mine), short_name(tests[mine[0]].key))
        for owner, mine in theirs.items()
    ]
    return sorted(news, key=lambda one: (-one.failures, one.owner))[:MOST]
