"""Plots of the benchmark."""

from pathlib import Path

import matplotlib as mpl
import numpy as np

from benchmarks.detection.evaluate import OURS, Results
from benchmarks.detection.figures import summary

mpl.use("Agg")
from matplotlib import pyplot as plt

INK, PALE = "#1f6feb", "#b8c4d0"


def draw(results: Results, folder: Path) -> list[str]:
    """Files written, to be linked from the page."""
    folder.mkdir(parents=True, exist_ok=True)
    _f1(results, folder / "f1.png")
    _calibration(results, folder / "calibration.png")
    _waiting(results, folder / "waiting.png")
    return ["f1.png", "calibration.png", "waiting.png"]


def _f1(results: Results, path: Path) -> None:
    names = [OURS, *(n for n in results.scores if n.endswith("tuned"))]
    values = {name: summary(results.scores[name]).f1 for name in names}
    names.sort(key=lambda name: values[name])
    figure, axes = plt.subplots(figsize=(7, 3.6))
    bars = axes.barh(
        [n.replace(", guarded and tuned", "") for n in names],
        [values[n] for n in names],
        color=[INK if n == OURS else PALE for n in names],
    )
    axes.bar_label(bars, fmt="%.3f", padding=3)
    axes.set_xlim(0, 1.12)
    _finish(figure, axes, "F1, every rule behind the outage guard and tuned", path)


def _calibration(results: Results, path: Path) -> None:
    told = [p for s in results.scores[OURS] for p in s.all_probabilities if p[0] > 0.001]
    figure, axes = plt.subplots(figsize=(4.4, 4))
    axes.plot([0, 1], [0, 1], color=PALE)
    for b in range(10):
        inside = [(p, y) for p, y in told if min(int(p * 10), 9) == b]
        if inside:
            p, y = (np.mean(column) for column in zip(*inside, strict=True))
            axes.scatter(p, y, s=20 + 4 * len(inside), color=INK, alpha=0.8)
    axes.set_xlabel("score")
    axes.set_ylabel("share that still was flaky")
    _finish(figure, axes, "Calibration at the end of history", path)


def _waiting(results: Results, path: Path) -> None:
    waits = sorted(n for s in results.scores[OURS] for n in s.failures_to_flag)
    figure, axes = plt.subplots(figsize=(5, 3.2))
    axes.step(waits, np.arange(1, len(waits) + 1) / max(1, len(waits)), color=INK)
    axes.set_xscale("log")
    axes.set_xlabel("chance failures until flagged")
    axes.set_ylabel("share of flagged flaky tests")
    _finish(figure, axes, "How soon", path)


def _finish(figure, axes, title: str, path: Path) -> None:
    axes.set_title(title, fontsize=10)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
