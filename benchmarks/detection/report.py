"""Write the results into the page between two markers, so that words and figures never disagree for long."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.detection.evaluate import OURS, PROVEN, Results, by_profile
from benchmarks.detection.figures import Summary, paired_bootstrap, summary

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def page(results: Results, *, tuned_on: str, reported_on: str, plots: Sequence[str], command: str) -> str:
    """The generated part of docs/detection.md."""
    return "\n\n".join(
        (
            f"Made by `{command}`; tuned on seeds {tuned_on}, reported on seeds {reported_on}.",
            "### Every rule, all profiles pooled",
            _rules(results),
            "### FlakeGuard, profile by profile",
            _profiles(results),
            "### Are the scores honest?",
            _honesty(summary(results.scores[OURS])),
            *(f"![{Path(name).stem}](images/detection/{name})" for name in plots),
        )
    )


def write(path: Path, generated: str) -> None:
    """Replace what stands between the markers; a new page is only the generated part."""
    text = path.read_text(encoding="utf-8") if path.exists() else f"{BEGIN}\n{END}\n"
    before, rest = text.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    path.write_text(f"{before}{BEGIN}\n{generated}\n{END}{after}", encoding="utf-8")


def _rules(results: Results) -> str:
    ours = results.scores[OURS]
    rows = [
        "| rule | precision | recall | F1 | broken accused | outage victims accused | failures to flag p50/p90 | hours p50 | PR-AUC | F1 behind ours by (95 %) |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    ranked = sorted(results.scores, key=lambda name: -summary(results.scores[name]).f1)
    for name in ranked:
        s = summary(results.scores[name])
        behind = (
            ""
            if name in {OURS, PROVEN}
            else "{:.3f} to {:.3f}".format(*paired_bootstrap(ours, results.scores[name]))
        )
        label = f"**{name}**" if name == OURS else name
        if name.endswith("tuned"):
            label += f" (at {results.thresholds[name.removesuffix(', guarded and tuned')]:g})"
        rows.append(
            f"| {label} | {s.precision:.3f} | {s.recall:.3f} | {s.f1:.3f} | {s.accused_broken} | {s.accused_outage} "
            f"| {s.failures_p50:.0f}/{s.failures_p90:.0f} | {s.hours_p50:.0f} | {s.pr_auc:.3f} | {behind} |"
        )
    return "\n".join(rows)


def _profiles(results: Results) -> str:
    rows = [
        "| profile | detectable | precision | recall | F1 | broken accused | outage victims accused | confirmed | of them wrong | failures to flag p50/p90 | Brier | ms a run |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    pooled = {"**all**": summary(results.scores[OURS])}
    for name, s in (by_profile(results.scores[OURS]) | pooled).items():
        rows.append(
            f"| {name} | {s.detectable} | {s.precision:.3f} | {s.recall:.3f} | {s.f1:.3f} | {s.accused_broken} | {s.accused_outage} "
            f"| {s.proposed} | {s.proposed_wrong} | {s.failures_p50:.0f}/{s.failures_p90:.0f} | {s.brier:.4f} | {s.ms_per_run:.1f} |"
        )
    return "\n".join(rows)


def _honesty(s: Summary) -> str:
    return (
        f"Brier score {s.brier:.4f} (score at the end of history against whether the test still was flaky then; "
        f"{s.brier_all:.4f} with the flaky tests that hardly ever failed), "
        f"calibration error {s.calibration_error:.3f} over all tests with any evidence, "
        f"rank correlation of the estimated with the true rate {s.rank_correlation:.2f}."
    )
