"""Run the engine and its peers over histories: tune on some seeds, report on others."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from benchmarks.detection.figures import Score, Summary, score, score_replay, summary
from benchmarks.detection.peers import RULES, Rule
from benchmarks.detection.profiles import Profile
from benchmarks.detection.replay import replay
from benchmarks.detection.simulate import simulate
from benchmarks.detection.world import History
from core.thresholds import Thresholds

OURS = "FlakeGuard"
PROVEN = "FlakeGuard, confirmed only"


@dataclass(slots=True)
class Results:
    """Scores by rule; peers keep their replays so that every threshold can be read off."""

    scores: dict[str, list[Score]] = field(default_factory=lambda: defaultdict(list))
    thresholds: dict[str, float] = field(default_factory=dict)


def histories(profiles: Sequence[Profile], seeds: Sequence[int], *, days: float = 1.0):
    """Simulated one by one: they are large."""
    for seed in seeds:
        for profile in profiles:
            yield simulate(replace(profile, days=max(14, round(profile.days * days))), seed)


def tune(profiles: Sequence[Profile], seeds: Sequence[int], *, days: float = 1.0) -> dict[str, float]:
    """The threshold of each guarded peer with the best pooled F1 on the training seeds."""
    scores: dict[tuple[str, float], list[Score]] = defaultdict(list)
    for history in histories(profiles, seeds, days=days):
        for make in RULES:
            rule = make(guarded=True)
            rule.replay(history)
            for threshold in make.grid:
                scores[make.name, threshold].append(score(history, rule.flagged(threshold), rule.peak()))
    best: dict[str, float] = {}
    for make in RULES:
        best[make.name] = max(make.grid, key=lambda t, name=make.name: summary(scores[name, t]).f1)
    return best


def evaluate(
    results: Results, profiles: Sequence[Profile], seeds: Sequence[int], *, days: float = 1.0, say=print
) -> None:
    """Every rule on every history of the reporting seeds."""
    for history in histories(profiles, seeds, days=days):
        _ours(results, history)
        for make in RULES:
            _peer(results, make, history, results.thresholds[make.name])
        mine = summary(results.scores[OURS][-1:])
        say(
            f"{history.profile:11} seed {history.seed}: precision {mine.precision:.3f} recall {mine.recall:.3f}"
        )


def _ours(results: Results, history: History) -> None:
    said = replay(history, Thresholds())
    results.scores[OURS].append(score_replay(history, said))
    said.flagged_at = dict(said.confirmed_at)
    results.scores[PROVEN].append(score_replay(history, said))


def _peer(results: Results, make: type[Rule], history: History, threshold: float) -> None:
    guarded, bare = make(guarded=True), make(guarded=False)
    guarded.replay(history)
    bare.replay(history)
    for label, rule, line in (
        (f"{make.name}, as documented", bare, make.documented),
        (f"{make.name}, guarded", guarded, make.documented),
        (f"{make.name}, guarded and tuned", guarded, threshold),
    ):
        results.scores[label].append(score(history, rule.flagged(line), rule.peak()))


def by_profile(scores: Sequence[Score]) -> dict[str, Summary]:
    groups: dict[str, list[Score]] = defaultdict(list)
    for one in scores:
        groups[one.profile].append(one)
    return {name: summary(group) for name, group in groups.items()}
