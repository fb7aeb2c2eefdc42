"""Learn the chances q(class, bucket) from simulated histories, where the cause of every failure is known."""

import argparse
import json
from collections import Counter
from pathlib import Path

from benchmarks.detection.profiles import BY_NAME
from benchmarks.detection.replay import replay
from benchmarks.detection.simulate import simulate
from benchmarks.detection.world import Cause, History, RunEvent
from core.classify import evidence_of
from core.evidence import Bucket, EvidenceClass
from core.ledger import DAY
from core.q_table import SHIPPED
from core.thresholds import Thresholds

SEEN_AT_LEAST = 60.0
"""Weight of the starting table: cells that are hardly ever seen stay near it."""
COUNTED_AT_MOST = 300
"""Pieces of one test are not independent; a large cell is not as sure as its size suggests."""
CEILINGS = {
    "merged_green": 0.5, "pass_then_fail": 0.5, "main_blip": 0.2, "next_push_pass": 0.01, "main_short": 0.05,
    "main_open": 0.05, "pr_open": 0.05, "base_red": 0.0, "known_break": 0.0,
}  # fmt: skip
"""A plain breakage produces these too; the same chance for a flaky and a broken test would accuse the broken one."""
GROUP_CEILING = 0.5
"""A partial outage with retries looks like several flaky tests at once."""


BY_HAND = frozenset({EvidenceClass.CROSS_BRANCH})
"""Its chance depends on more than class and bucket."""


def count(history: History) -> Counter[tuple[str, str, bool]]:
    """Every piece of evidence as it was understood at the end of each week it counted in, with the truth."""
    seen: Counter[tuple[str, str, bool]] = Counter()
    t = Thresholds()

    def watch(state, now) -> None:
        since = int(now.timestamp()) - t.window_days * DAY
        for test in state.suspects:
            for piece in evidence_of(state, test, t, SHIPPED):
                event = history.events[piece.run]
                if piece.at > since and isinstance(event, RunEvent) and piece.kind not in BY_HAND:
                    flake = event.causes[test] is Cause.CHANCE
                    seen[str(piece.kind), str(piece.bucket), flake] += 1

    replay(history, t, watch=watch)
    return seen


def table_of(seen: Counter[tuple[str, str, bool]]) -> dict[str, dict[str, float]]:
    """Shares, shrunk to the starting table, monotone over the buckets, nothing certain."""
    table: dict[str, dict[str, float]] = {}
    for kind in EvidenceClass:
        limit, row = min(0.995, CEILINGS.get(str(kind), 1.0)), {}
        for bucket in (Bucket.ALONE, Bucket.SMALL, Bucket.GROUP):
            yes, no = (seen[str(kind), str(bucket), flake] for flake in (True, False))
            start = SHIPPED[kind][bucket]
            weight = min(1.0, COUNTED_AT_MOST / max(1, yes + no))
            q = (yes * weight + SEEN_AT_LEAST * start) / ((yes + no) * weight + SEEN_AT_LEAST)
            if bucket is Bucket.GROUP:
                q = min(q, GROUP_CEILING)
            limit = row[str(bucket)] = round(min(limit, q), 4)
        table[str(kind)] = row
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="1:4")
    parser.add_argument("--profiles", default=",".join(BY_NAME))
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    first, last = map(int, options.seeds.split(":"))
    seen: Counter[tuple[str, str, bool]] = Counter()
    for name in options.profiles.split(","):
        for seed in range(first, last):
            seen += count(simulate(BY_NAME[name], seed))
            print(name, seed, flush=True)
            counts = {
                f"{kind}/{bucket}/{'flake' if flake else 'other'}": n
                for (kind, bucket, flake), n in sorted(seen.items())
            }
            options.out.write_text(
                json.dumps(
                    {
                        "seeds": options.seeds,
                        "profiles": options.profiles,
                        "table": table_of(seen),
                        "counts": counts,
                    },
                    indent=1,
                )
                + "\n"
            )


if __name__ == "__main__":
    main()
