"""Storm: many tests confirmed together become one message instead of many cards, until it is calm again."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from core.quarantine import State
from core.storm import TOGETHER, Storm, is_storm
from jobs.announce import speaking_time
from jobs.propose import blocked_tests, withdraw_settled
from jobs.score import Scoring
from storage import publication
from storage.database import Tx
from storage.quarantine import list_quarantines, lock_decisions
from storage.slack import channels_for
from storage.storm import confirmed_since, join_storm, open_storm, running_storm, split_since
from storage.test_case import count_tests

LEFT_ALONE = timedelta(hours=24)
"""After somebody has said to treat the tests one by one, no new storm is declared for so long."""
MOST = 1000


def shelter(tx: Tx, scoring: Scoring, confirmed: Sequence[int], *, now: datetime) -> list[int]:
    """Which of the tests just confirmed may be asked about one by one; the others are in a storm."""
    if not confirmed:
        return []
    project_id = scoring.project.id
    lock_decisions(tx, project_id)
    blocked = blocked_tests(tx, project_id, now)
    wanted = [test_id for test_id in confirmed if test_id not in blocked]
    if storm := running_storm(tx, project_id):
        _join(tx, storm, wanted, now)
        return []
    begun = scoring.clock(scoring.transitions[-1].at) - TOGETHER
    recent = confirmed_since(tx, project_id, begun) & _unanswered(tx, project_id) | set(wanted)
    if not wanted or split_since(tx, project_id, now - LEFT_ALONE):
        return wanted
    suite = count_tests(tx, project_id)
    if not is_storm(len(wanted), len(recent), suite=suite, policy=scoring.policy):
        return wanted
    _begin(tx, scoring, sorted(recent), now)
    return []


def _unanswered(tx: Tx, project_id: int) -> set[int]:
    """Tests the scorer has asked about and nobody has said a word on."""
    waiting, _ = list_quarantines(tx, project_id, states=[State.PROPOSED], limit=MOST)
    return {one.test_id for one in waiting if one.proposed_by == "flakeguard" and not one.votes}


def _begin(tx: Tx, scoring: Scoring, test_ids: Sequence[int], now: datetime) -> None:
    project = scoring.project
    since = min(one.at for one in scoring.transitions)
    storm = open_storm(tx, project.id, since=since, now=now)
    join_storm(tx, storm, test_ids, now=now)
    reason = f"Many tests began to fail together ({storm.name})."
    withdraw_settled(tx, project, dict.fromkeys(test_ids, reason), now=now)
    for route in channels_for(tx, project.id, "storm"):
        publication.want(
            tx,
            project_id=project.id,
            key=f"storm:{storm.name}:{route.team}:{route.channel}",
            kind="storm",
            subject=storm.id,
            team=route.team,
            channel=route.channel,
            now=now,
            due_at=speaking_time(scoring.policy, route, now),
        )


def _join(tx: Tx, storm: Storm, test_ids: Sequence[int], now: datetime) -> None:
    if join_storm(tx, storm, test_ids, now=now):
        publication.touch(tx, project_id=storm.project_id, kind="storm", subject=storm.id, now=now)
