"""Sample nouns that agree with each other, for tests and pictures: one repository in a bad fortnight."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.slack.blocks.findings import Findings
from bot.slack.pages import (
    HistoryPage,
    HomePage,
    ListPage,
    Membership,
    MyTest,
    QuarantineLine,
    RepoHealth,
    SettingsPage,
    TestPage,
    TopPage,
    WhoPage,
)
from core.audit import AuditEvent
from core.policy import Policy
from core.quarantine import Quarantine, State, Vote
from core.saying import DigestCard, DigestTest, Note, ProposalCard, StormCard, TestView
from core.tenancy import Role, Via

NOW = datetime(2026, 11, 22, 21, 26, tzinfo=UTC)
DAY = timedelta(days=1)
BASE = "https://flakeguard.example.com"
RUNS = "https://github.com/acme/web/actions/runs"
ALICE, BOB, CAROL, DAVE = "U01ALICE", "U02BOB", "U03CAROL", "U04DAVE"
REASON = "Real race in session refresh, fix is on its way in #4182."
FAILURE = "TimeoutError: waited 5000 ms for URL /home, still at /login"

LOGIN = TestView(
    id=1,
    suite="pytest",
    class_name="tests.auth.test_login.TestLogin",
    name="test_redirect_after_login[chrome]",
    file="tests/auth/test_login.py",
    owner="web-platform",
    url=f"{RUNS}/91821",
)
CART = TestView(
    id=2,
    suite="pytest",
    class_name="",
    name="test_cart_total_rounding",
    owner="checkout",
    url=f"{RUNS}/91822",
)
UPLOAD = TestView(
    id=3, suite="pytest", class_name="", name="test_upload_resume", owner="storage", url=f"{RUNS}/91823"
)
INVOICE = TestView(
    id=4,
    suite="vitest",
    class_name="InvoiceList",
    name="should render the invoice list",
    owner="billing",
    url=f"{RUNS}/91824",
)
SOCKET = TestView(
    id=5, suite="pytest", class_name="", name="test_ws_reconnect", owner="realtime", url=f"{RUNS}/91825"
)
SEARCH = TestView(
    id=6, suite="pytest", class_name="", name="test_search_index", owner="search", url=f"{RUNS}/91826"
)

EXPLANATION = {
    "state": "flaky",
    "score": 0.97,
    "confirmed": True,
    "rate_interval": [0.021, 0.074],
    "trunk_failures": 9,
    "trunk_runs": 212,
    "failures": 9,
    "window_days": 14,
    "strongest": "rerun_pass",
    "evidence": {"rerun_pass": 4, "cross_branch": 3, "merged_green": 2},
    "unchanged": True,
    "pull_requests": 7,
    "ci_seconds": 11400,
    "infra_failures": 2,
    "strip": "...x....x......x...x",
    "first_failure": "2026-10-23T08:00:00+00:00",
    "last_failure": "2026-11-21T19:26:40+00:00",
    "message": FAILURE,
    "message_count": 7,
    "last_failed_url": "https://github.com/acme/web/actions/runs/91822",
    "changes": ["One more pass on a re-run changes nothing; 23 clean runs clear it."],
    "policy_version": 3,
    "pieces": [
        {"class": "rerun_pass", "commit": commit}
        for commit in ("4f1c2ab9", "9be0d31c", "c0ffee12", "7a11de5")
    ],
    "proofs": [
        {
            "passed": passed,
            "run_id": run,
            "url": f"https://github.com/acme/web/actions/runs/{run}",
            "commit": commit,
            "at": at,
        }
        for passed, run, commit, at in (
            (False, "91822", "4f1c2ab9", "2026-11-21T19:26:40+00:00"),
            (True, "91820", "4f1c2ab9", "2026-11-21T18:56:40+00:00"),
            (False, "91714", "9be0d31c", "2026-11-20T21:26:40+00:00"),
            (True, "91713", "9be0d31c", "2026-11-20T21:11:40+00:00"),
        )
    ],
}


def quarantine(state=State.PROPOSED, **changes):
    """q-17 in any state."""
    base = Quarantine(
        id=17,
        project_id=1,
        test_id=1,
        state=State.PROPOSED,
        version=3,
        proposed_by="flakeguard",
        proposed_via=Via.POLICY,
        proposed_at=NOW,
        lapses_at=NOW + 7 * DAY,
        ttl_days=14,
        needed=1,
        evidence=EXPLANATION,
        policy_version=3,
    )
    return replace(base, **{**DECIDED.get(state, {}), "state": state, **changes})


_APPROVED = {
    "decided_by": ALICE,
    "decided_via": Via.SLACK,
    "decided_at": NOW + timedelta(hours=2),
    "until": NOW + 14 * DAY,
}
DECIDED = {
    State.ACTIVE: _APPROVED,
    State.EXPIRING: _APPROVED,
    State.RELEASED: {**_APPROVED, "ended_at": NOW + 9 * DAY, "decision_reason": "Fixed in #4182."},
    State.EXPIRED: {
        **_APPROVED,
        "decided_by": "flakeguard",
        "decided_via": Via.CLOCK,
        "ended_at": NOW + 14 * DAY,
    },
    State.DENIED: {**_APPROVED, "decided_by": BOB, "decision_reason": REASON, "ended_at": NOW},
    State.LAPSED: {"decided_by": "flakeguard", "decided_via": Via.CLOCK, "ended_at": NOW + 7 * DAY},
    State.WITHDRAWN: {
        "decided_by": "flakeguard",
        "decided_via": Via.POLICY,
        "decision_reason": "It has not failed for 60 runs.",
        "ended_at": NOW + 3 * DAY,
    },
}


def card(state=State.PROPOSED, *, test=LOGIN, explanation=None, failures_since=0, **changes):
    """The card of q-17 in any state."""
    return ProposalCard(
        quarantine=quarantine(state, **changes),
        test=test,
        repo="acme/web",
        branch="main",
        explanation=EXPLANATION if explanation is None else explanation,
        approvers="S0APPROV",
        failures_since=failures_since,
        url="https://github.com/acme/web",
    )


TOGETHER = tuple(f"tests/auth/test_session.py::TestSession::test_refresh_{number}" for number in range(500))
CARDS = {
    "proposal": card(),
    "proposal_by_person": card(proposed_by=CAROL, reason="Times out on CI about once a day.", needed=2),
    "proposal_one_vote": card(needed=2, votes=(Vote(ALICE, NOW),)),
    "proposal_together": replace(card(), also=TOGETHER[:2]),
    "proposal_together_500": replace(card(), also=TOGETHER),
    "decided": card(State.ACTIVE),
    "decided_by_policy": card(State.ACTIVE, decided_by="flakeguard", decided_via=Via.POLICY),
    "decided_by_api": card(
        State.ACTIVE, decided_by="deploy-bot", decided_via=Via.API, decided_detail="ci-admin"
    ),
    "renewed": card(State.ACTIVE, renewals=1, decision_reason="The fix waits for the new browser image."),
    "expiring_flaky": card(State.EXPIRING, failures_since=3),
    "expiring_fixed": card(State.EXPIRING),
    "released": card(State.RELEASED),
    "expired": card(State.EXPIRED),
    "denied": card(State.DENIED),
    "lapsed": card(State.LAPSED),
    "withdrawn": card(State.WITHDRAWN),
}

WORST = (
    DigestTest(LOGIN, 9, 212, 0.97, "flaky"),
    DigestTest(CART, 6, 198, 0.95, "flaky"),
    DigestTest(UPLOAD, 4, 205, 0.93, "flaky"),
    DigestTest(INVOICE, 3, 190, 0.91, "flaky"),
    DigestTest(SOCKET, 1, 212, 0.62, "suspect"),
)
DAILY = (4, 3, 5, 2, 3, 0, 1, 2, 1, 0, 1, 1, 0, 0)


def digest(**changes):
    """Two weeks of acme/web."""
    base = DigestCard(
        repo="acme/web",
        branch="main",
        days=14,
        since=datetime(2026, 11, 9, tzinfo=UTC),
        until=NOW,
        failures=23,
        failures_before=37,
        tests=5,
        pull_requests=11,
        ci_seconds=19200,
        daily=tuple((f"2026-11-{9 + index:02d}", value) for index, value in enumerate(DAILY)),
        worst=WORST,
        new=("test_upload_resume", "test_ws_reconnect"),
        recovered=("test_login_timeout", "test_pdf_export", "test_old_menu"),
        ending=(("test_search_index", datetime(2026, 11, 25, 9, tzinfo=UTC)),),
        waiting=2,
        last_result=NOW - timedelta(minutes=12),
        next_digest=datetime(2026, 11, 23, 8, tzinfo=UTC),
        project_id=1,
        by_owner=True,
        runs=212,
        tests_known=1204,
    )
    return replace(base, **changes)


QUIET = digest(
    failures=0,
    failures_before=0,
    tests=0,
    pull_requests=0,
    ci_seconds=0,
    daily=tuple((day, 0) for day, _ in digest().daily),
    worst=(),
    new=(),
    recovered=(),
    ending=(),
    waiting=0,
)


def storm(**changes):
    """Redis is down."""
    base = StormCard(
        storm_id=4,
        repo="acme/web",
        tests=37,
        tests_known=1204,
        same_error=31,
        error="ConnectionRefusedError: [Errno 111] connect to redis:6379",
        since=NOW - timedelta(hours=1),
        commit="4f1c2ab9d0",
        branch="main",
        pull_requests=12,
        last_green=NOW - timedelta(hours=2),
        examples=("test_cache", "test_queue"),
        url="https://github.com/acme/web/commit/4f1c2ab9d0",
    )
    return replace(base, **changes)


NOTES = {
    "note_first": Note(
        "First failure that does not count, in run 91830.",
        url="https://github.com/acme/web/actions/runs/91830",
    ),
    "note_other_failure": Note(
        "It failed with another text than the approved one:",
        quote="AssertionError: total 10.01",
        mention=ALICE,
    ),
    "note_owner": Note(
        "3 of web-platform's tests are flaky; the worst is", test_name="test_redirect_after_login"
    ),
}
SAYINGS = {
    **CARDS,
    "digest": digest(),
    "digest_more": digest(failures=50),
    "digest_few": digest(failures=3, failures_before=2, worst=WORST[:1], daily=(("2026-11-20", 3),)),
    "digest_only_recovered": digest(failures=0, daily=(), worst=(), new=(), waiting=0, ending=()),
    "digest_quiet": QUIET,
    "storm": storm(),
    "storm_unclear": storm(same_error=9, commit="", url=""),
    "storm_over": storm(over_at=NOW + timedelta(hours=1)),
    **NOTES,
}


def waiting(number, kind="pending"):
    """So many quarantines in a list."""
    tests = (LOGIN, CART, UPLOAD, INVOICE, SOCKET)
    state = State.PROPOSED if kind == "pending" else State.ACTIVE
    return tuple(
        QuarantineLine(
            quarantine(state, id=17 + index, version=1),
            replace(tests[index % 5], id=index + 1),
            "acme/web" if index % 2 == 0 else "acme/shop",
            0.97 - index % 7 / 100,
            9 - index % 6,
            212,
        )
        for index in range(number)
    )


def repo(index=0, **changes):
    """A repository at a glance."""
    names = ("acme/web", "acme/shop")
    base = RepoHealth(
        project_id=index + 1,
        repo=names[index] if index < len(names) else f"acme/service-{index}",
        tests=1204,
        flaky=5,
        quarantined=4,
        waiting=2,
        next_end=datetime(2026, 11, 25, 9, tzinfo=UTC),
        last_result=NOW - timedelta(minutes=12),
        runs=212,
        arrived=(49, 50),
        flaky_before=8,
        routes=1,
    )
    return replace(base, **changes)


def my_tests(number):
    """So many tests of one owner."""
    states = (("active", SEARCH, 2, 180), ("proposed", LOGIN, 9, 212), ("recovered", CART, 0, 96))
    return tuple(
        MyTest(test, state, failed, runs, NOW + 3 * DAY if state == "active" else None)
        for state, test, failed, runs in (states[index % 3] for index in range(number))
    )


def home(number=2, **changes):
    """Somebody's Home with so many things in each list."""
    line = QuarantineLine(quarantine(State.ACTIVE, id=9, version=2, until=NOW + 3 * DAY), SEARCH, "acme/web")
    base = HomePage(
        waiting=waiting(number),
        may_decide=True,
        admin=True,
        linked=True,
        tests=my_tests(number),
        ending=(line,),
        suggestion=(line, 6) if number else None,
        repos=(
            repo(0),
            *(
                repo(index, **({"ill": "is blind", "problem": "no result for 3 days"} if index == 1 else {}))
                for index in range(1, number)
            ),
        ),
        role="You are an *approver* for acme/web, through <!subteam^S0APPROV>",
        refreshed=NOW,
        ingest_url=f"{BASE}/api/v1/ingestion/junit",
        install_url="https://github.com/apps/flakeguard",
        web=True,
    )
    return replace(base, **changes)


def first_report():
    """A repository from which one report has come."""
    return repo(runs=1, flaky=0, quarantined=0, waiting=0, routes=0, flaky_before=None, arrived=(0, 0))


def sample_repo():
    """The repository of somebody who is only looking."""
    return repo(repo="sample/web-shop", tests=65, flaky=3, quarantined=0, sample=True)


HOME_EMPTY = replace(
    home(0), repos=(), waiting=(), tests=(), ending=(), role="You are an admin of FlakeGuard"
)


def page_of_test(**changes):
    """`show` of the sample test."""
    base = TestPage(
        test=LOGIN,
        project_id=1,
        repo="acme/web",
        branch="main",
        findings=Findings.read(EXPLANATION),
        weekly=(
            ("41", 0.5),
            ("42", 0.4),
            ("43", 1.1),
            ("44", 0.9),
            ("45", 3.6),
            ("46", 4.8),
        ),
        quarantine=quarantine(),
        last_result=NOW - timedelta(minutes=12),
        first_seen=datetime(2026, 10, 23, 8, tzinfo=UTC),
        web_url=f"{BASE}/web/acme/web/tests/1",
    )
    return replace(base, **changes)


def healthy_page():
    """`show` of a test nothing is wrong with."""
    found = {"state": "healthy", "score": 0.0, "trunk_runs": 212, "rate_interval": [0.0, 0.004]}
    return page_of_test(findings=Findings.read(found), weekly=(), quarantine=None)


def top(number=5, **changes):
    """`top` with so many rows."""
    rows = tuple(
        replace(WORST[index % 5], test=replace(WORST[index % 5].test, id=index + 1))
        for index in range(number)
    )
    base = TopPage(
        project_id=1,
        repo="acme/web",
        days=14,
        rows=rows,
        total=number,
        tests=1204,
        runs=212,
        last_result=NOW - timedelta(minutes=12),
    )
    return replace(base, **changes)


def listed(number=5, kind="pending", page=1):
    """One page of so many."""
    items = waiting(number, kind)
    return ListPage(1, "acme/web", kind, items[(page - 1) * 10 : page * 10], number, page)


def history(number=3):
    """So many decisions about one test."""
    actions = ("quarantine.proposed", "quarantine.approved", "quarantine.released")
    events = tuple(
        AuditEvent(
            organization_id=1,
            seq=index + 1,
            at=NOW + index * DAY,
            actor=("flakeguard", ALICE, BOB)[index % 3],
            via=("policy", "slack", "api")[index % 3],
            action=actions[index % 3],
            subject="q-17",
            details={"reason": REASON} if index % 3 == 2 else None,
        )
        for index in range(number)
    )
    return HistoryPage(LOGIN, "acme/web", tuple(reversed(events)))


def who(number=2, **changes):
    """`whoami` in so many repositories."""
    roles = (Role.APPROVER, Role.VIEWER, Role.ADMIN)
    base = WhoPage(
        ALICE,
        "alice",
        tuple(
            Membership(f"acme/repo-{index}", roles[index % 3], "S0APPROV" if index % 3 == 0 else "", Policy())
            for index in range(number)
        ),
        web=True,
    )
    return replace(base, **changes)


def settings(**changes):
    """The settings of acme/web."""
    policy = Policy(
        version=7, protected_paths=("tests/security/**",), quiet_hours="19:00-08:00", max_quarantined=25
    )
    base = SettingsPage(
        1, "acme/web", policy, (ALICE, BOB), channel="C01CI", digest_time="09:00", timezone="Europe/Paris"
    )
    return replace(base, **changes)
