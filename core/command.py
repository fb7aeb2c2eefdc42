"""The grammar of `/flakeguard`: what somebody typed, read into a command or a helpful sentence."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from zoneinfo import ZoneInfo


class Verb(StrEnum):
    """What can be asked."""

    HELP = "help"
    STATUS = "status"
    TOP = "top"
    SHOW = "show"
    QUARANTINE = "quarantine"
    RELEASE = "release"
    LIST = "list"
    SNOOZE = "snooze"
    HISTORY = "history"
    SUBSCRIBE = "subscribe"
    SETTINGS = "settings"
    WHOAMI = "whoami"


@dataclass(frozen=True, slots=True)
class Usage:
    """One verb's form, purpose and example; `options` are the `--names` it knows."""

    form: str
    does: str
    example: str
    options: tuple[str, ...] = ()
    needs_test: bool = False


USAGE: Mapping[Verb, Usage] = {
    Verb.STATUS: Usage(
        "status [repo]", "Is everything all right, and what has to be fixed.", "status acme/web"
    ),
    Verb.TOP: Usage(
        "top [repo] [--days 14] [--limit 5] [--share]",
        "The worst tests.",
        "top acme/web --days 30 --share",
        ("days", "limit", "share"),
    ),
    Verb.SHOW: Usage("show TEST [repo]", "One test: verdict, numbers, history.", "show test_login", (), True),
    Verb.LIST: Usage(
        "list [pending|quarantined] [repo]",
        "What waits for a decision, or is in quarantine.",
        "list quarantined acme/web",
        ("page",),
    ),
    Verb.QUARANTINE: Usage(
        'quarantine TEST [--for 14d] [--reason "…"]',
        "Propose a quarantine; an approver decides.",
        'quarantine test_login --for 7d --reason "times out on CI"',
        ("for", "reason"),
        True,
    ),
    Verb.RELEASE: Usage(
        'release TEST [--reason "…"]',
        "End a quarantine: the test blocks merges again.",
        'release test_login --reason "fixed in #4182"',
        ("reason",),
        True,
    ),
    Verb.SNOOZE: Usage(
        "snooze TEST 7d", "No proposal for this test until then.", "snooze test_login 7d", ("for",), True
    ),
    Verb.HISTORY: Usage(
        "history TEST", "Who decided what about it, and why.", "history test_login", (), True
    ),
    Verb.SUBSCRIBE: Usage(
        "subscribe REPO [--daily 09:00] [--tz Europe/Paris] [--only all|proposals|digest] [--silent]",
        "Send this channel the repository's messages (admins).",
        "subscribe acme/web --daily 09:00 --tz Europe/Paris",
        ("daily", "tz", "only", "silent"),
    ),
    Verb.SETTINGS: Usage(
        "settings [repo]", "Who decides, for how long, how many (admins).", "settings acme/web"
    ),
    Verb.WHOAMI: Usage("whoami", "What you may do, and why not more.", "whoami"),
    Verb.HELP: Usage("help [verb]", "This, or more about one verb.", "help top"),
}
_VALUELESS = frozenset({"share", "silent"})
_SYNONYMS = {
    "unquarantine": Verb.RELEASE,
    "pending": Verb.LIST,
    "quarantined": Verb.LIST,
    "explain": Verb.SHOW,
}
MAX_DAYS = 365


@dataclass(frozen=True, slots=True)
class Command:
    """One understood command; `words` is what was neither verb nor option."""

    verb: Verb
    words: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The words as one fragment, so that names with spaces need no quotes."""
        return " ".join(self.words)

    def number(self, option: str, default: int, low: int, high: int) -> int:
        """A whole-number option within its range."""
        return min(max(int(self.options.get(option, default)), low), high)

    def days(self, option: str) -> int | None:
        """A duration option in days; None when not given."""
        return parse_days(self.options[option]) if option in self.options else None


@dataclass(frozen=True, slots=True)
class Unclear:
    """What was typed and cannot be understood, in a sentence; `suggestion` is the verb probably meant."""

    reason: str
    suggestion: Verb | None = None


_DASHES = "\u2014\u2013"
_QUOTES = {"\u201c": '"', "\u201d": '"', "\u201e": '"', "\u00ab": '"', "\u00bb": '"'}
_TOKEN = re.compile(r'--(?P<option>[A-Za-z-]+)=(?P<value>"[^"]*"?|\S+)|"(?P<quoted>[^"]*)"?|(?P<word>\S+)')


def parse(text: str) -> Command | Unclear:
    """Read what was typed: case does not matter for verbs and options, quotes keep words together."""
    tokens = list(_tokens(text))
    if not tokens:
        return Command(Verb.HELP)
    first = tokens[0].removeprefix("--").lower()
    verb = _verb(first)
    if verb is None:
        suggestion = nearest(first, [*Verb])
        return Unclear(
            f"There is no command called “{tokens[0][:40]}”.", Verb(suggestion) if suggestion else None
        )
    rest = tokens if first in {"pending", "quarantined"} else tokens[1:]
    return _checked(verb, rest)


def _verb(word: str) -> Verb | None:
    return Verb(word) if word in set(Verb) else _SYNONYMS.get(word)


def _tokens(text: str) -> Iterable[str]:
    """Words, quoted texts as one, `--name=value` as two; typographic quotes and dashes are as good."""
    for mark, plain in _QUOTES.items():
        text = text.replace(mark, plain)
    text = re.sub(rf"(?<!\S)[{_DASHES}](?=[A-Za-z])", "--", text)
    for match in _TOKEN.finditer(text):
        if match["option"]:
            yield f"--{match['option']}"
            yield match["value"].strip('"')
        else:
            yield match["word"] if match["word"] is not None else match["quoted"]


def _checked(verb: Verb, tokens: Sequence[str]) -> Command | Unclear:
    words, options, problem = _split(verb, tokens)
    if problem:
        return Unclear(problem, verb)
    command = Command(verb, words, options)
    return _needs(command) or _values(options, verb) or command


def _split(verb: Verb, tokens: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str], str]:
    words, options, queue = [], {}, list(tokens)
    while queue:
        token = queue.pop(0)
        if not token.startswith("--") or not token[2:3].isalpha():
            words.append(token)
            continue
        name = token[2:].lower()
        if name not in USAGE[verb].options:
            return (), {}, _unknown_option(verb, name)
        if name not in _VALUELESS and not queue:
            return (), {}, f"--{name} needs a value."
        options[name] = "yes" if name in _VALUELESS else queue.pop(0)
    return tuple(word for word in words if word), options, ""


def _unknown_option(verb: Verb, name: str) -> str:
    known = USAGE[verb].options
    guess = nearest(name, known)
    if guess:
        return f"{verb} has no option --{name[:40]}; did you mean --{guess}?"
    listed = ", ".join(f"--{option}" for option in known)
    return f"{verb} has no option --{name[:40]}" + (f"; it knows {listed}." if listed else ".")


def _needs(command: Command) -> Unclear | None:
    if USAGE[command.verb].needs_test and not command.words:
        return Unclear(f"{command.verb} needs a test: its name, or a part of it.", command.verb)
    if command.verb is Verb.SNOOZE and len(command.words) == 1 and "for" not in command.options:
        return Unclear("snooze needs a time: 7d, 2w.", command.verb)
    return None


def _values(options: Mapping[str, str], verb: Verb) -> Unclear | None:
    for name, value in options.items():
        if complaint := _CHECKS.get(name, _any)(value):
            return Unclear(f"--{name} {complaint}", verb)
    return None


def _any(_value: str) -> str:
    return ""


def _whole_number(value: str) -> str:
    good = value.isascii() and value.isdecimal() and 1 <= len(value) <= 4 and int(value) > 0  # noqa: PLR2004
    return "" if good else "must be a whole number."


def _duration(value: str) -> str:
    return "" if parse_days(value) else f"must be 1 to {MAX_DAYS} days, like 14d or 2w."


def _time(value: str) -> str:
    return "" if re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", value) else "must be a time of day like 09:00."


def _timezone(value: str) -> str:
    return "" if known_timezone(value) else "must be a time zone like Europe/Paris."


def _kind(value: str) -> str:
    return "" if value.lower() in {"all", "proposals", "digest"} else "must be all, proposals or digest."


_CHECKS = {
    "days": _whole_number,
    "limit": _whole_number,
    "page": _whole_number,
    "for": _duration,
    "daily": _time,
    "tz": _timezone,
    "only": _kind,
}


def known_timezone(name: str) -> bool:
    """True for a name of the time zone database."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def parse_days(text: str) -> int | None:
    """`7d`, `2w`, `14` -> days; None when it is no such duration."""
    match = re.fullmatch(r"(\d{1,4})\s*(d|days?|w|weeks?|)", text.strip().lower(), re.ASCII)
    if not match:
        return None
    days = int(match[1]) * (7 if match[2].startswith("w") else 1)
    return days if 1 <= days <= MAX_DAYS else None


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like this one, if any is."""
    found = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def split_repo(words: Sequence[str], repos: Iterable[str]) -> tuple[tuple[str, ...], str]:
    """Take the repository off the end (or the start) of the words; only repositories that exist are taken."""
    names = {repo.lower(): repo for repo in repos}
    for index in (-1, 0):
        if words and words[index].lower() in names:
            rest = words[:-1] if index else words[1:]
            return tuple(rest), names[words[index].lower()]
    return tuple(words), ""
