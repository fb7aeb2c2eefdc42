"""Every message, tab and dialog FlakeGuard can show, by name, at 0, 1, 5 and 500 items: for tests and pictures."""

from dataclasses import replace

from fakes import slack_samples as samples

from bot.slack.blocks import (
    deny,
    dialog,
    evidence,
    help,  # noqa: A004 - the verb is called so
    history,
    home,
    listing,
    notice,
    propose,
    release,
    settings,
    show,
    status,
    top,
    waiting,
    web,
    whoami,
)
from bot.slack.blocks.saying import message, simpler
from core.command import Unclear, Verb
from core.quarantine import State

SIZES = (0, 1, 5, 500)


def _payload(shown):
    return {"text": shown.text, "blocks": list(shown.blocks)}


def messages():
    """Name -> message payload."""
    said = {name: message(saying) for name, saying in samples.SAYINGS.items()}
    said |= {"digest_no_chart": simpler(said["digest"])}
    said |= {"digest_no_table": simpler(said["digest_no_chart"])}
    return {name: _payload(shown) for name, shown in {**said, **_answers(), **_sized()}.items()}


def _answers():
    page = samples.page_of_test()
    return {
        "show": show.show(page),
        "show_healthy": show.show(samples.healthy_page()),
        "show_shared": show.show(replace(page, shared_by=samples.CAROL)),
        "top_shared": top.top(samples.top(shared_by=samples.CAROL)),
        "status": status.status(samples.repo(), version="1.0", transport="socket mode"),
        "status_blind": status.status(
            samples.repo(
                ill="is blind",
                problem="no result for 3 days",
                last_result=samples.NOW - 3 * samples.DAY,
                arrived=(0, 0),
                broken_routes=(("C02SHOP", "not_in_channel"),),
            ),
            version="1.0",
            transport="HTTP",
        ),
        "status_empty": status.status(
            samples.repo(runs=0, routes=0, last_result=None), version="1.0", transport="HTTP"
        ),
        "help": help.help_all(),
        "help_top": help.help_verb(Verb.TOP),
        "unclear": notice.unclear(Unclear("There is no command called “staus”.", Verb.STATUS)),
        "done": notice.done(
            "This channel hears about acme/web from now on: proposals and the digest at 09:00."
        ),
        "refused": notice.refused("You may not approve: you are a viewer, and approvers and admins decide."),
        "failed": notice.failed("The database did not answer. Try again in a minute.", "8f2c"),
        "settled": notice.settled(samples.quarantine(State.ACTIVE)),
        "choose_repo": notice.choose_repo(((1, "acme/web"), (2, "acme/shop")), "status"),
        "whoami_guest": whoami.whoami(samples.who(refusal="Guests may look, but not decide.")),
    }


def _sized():
    found = {}
    for size in SIZES:
        found[f"top_{size}"] = top.top(samples.top(min(size, 20), total=size))
        for kind in ("pending", "quarantined"):
            found[f"list_{kind}_{size}"] = listing.listing_page(samples.listed(size, kind))
        found[f"history_{size}"] = history.history(samples.history(size))
        found[f"whoami_{size}"] = whoami.whoami(samples.who(size))
        found[f"digest_{size}"] = message(_digest(size))
        if size > 1:
            tests = [(1, replace(item.test, id=index)) for index, item in enumerate(samples.waiting(size))]
            found[f"choose_{size}"] = notice.choose_test(tests, size, "show")
    return found


def _digest(size):
    names = tuple(f"test_number_{index}" for index in range(size))
    return samples.digest(
        worst=tuple(samples.WORST[index % 5] for index in range(size)),
        new=names,
        recovered=names,
        ending=tuple((name, samples.NOW) for name in names),
        waiting=size,
        failures=size,
        tests=size,
        daily=tuple(
            (f"2026-{1 + index // 28:02d}-{1 + index % 28:02d}", index) for index in range(min(size, 300))
        ),
    )


def homes():
    """Name -> Home view."""
    views = {f"home_{size}": home.home(samples.home(size)) for size in SIZES}
    return {
        "home": home.home(samples.home()),
        "home_empty": home.home(samples.HOME_EMPTY),
        "home_first": home.home(replace(samples.HOME_EMPTY, repos=(samples.first_report(),))),
        "home_sample": home.home(samples.home(2, sample=True, repos=(samples.sample_repo(),))),
        "home_viewer": home.home(samples.home(may_decide=False, admin=False, linked=False)),
        "home_plain": home.plainer(home.home(samples.home())),
        **views,
    }


def modals():
    """Name -> modal view."""
    page = samples.page_of_test()
    decided = replace(page, quarantine=samples.quarantine(State.ACTIVE))
    repos = ((1, "acme/web"), (2, "acme/shop"))
    views = {f"waiting_{size}": waiting.waiting(samples.listed(size)) for size in SIZES}
    return {
        "evidence": evidence.evidence(page),
        "evidence_deciding": evidence.evidence(page, may_decide=True),
        "evidence_decided": evidence.evidence(decided, may_decide=True),
        "evidence_healthy": evidence.evidence(samples.healthy_page()),
        "deny": deny.deny("q-17:3"),
        "deny_bug": deny.deny("q-17:3", reason="bug"),
        "release": release.release("q-17:3"),
        "renew": release.renew("q-17:3"),
        "settings": settings.settings(samples.settings()),
        "settings_conflict": settings.settings(samples.settings(changed_by="bob", repo="a/" + "long" * 30)),
        "propose": propose.propose(samples.LOGIN, project_id=1, repo="acme/web"),
        "propose_choice": propose.propose(
            None, choices=tuple((1, replace(samples.LOGIN, id=index)) for index in range(1, 31))
        ),
        "propose_any": propose.propose(None, repos=repos, fragment="test_login"),
        "web": web.web_door("https://flakeguard.example.com/web/enter?t=" + "x" * 300),
        "loading": dialog.loading("Evidence"),
        "saving": dialog.saving("Deny the quarantine"),
        "outcome": dialog.outcome("Denied", "success", "It keeps blocking merges until 6 Dec."),
        "outcome_long": dialog.outcome("Not denied", "warning", "It was decided by somebody else. " * 12),
        "storm_tests": waiting.storm_tests(tuple(f"test_{index}" for index in range(500)), 500),
        **views,
    }
