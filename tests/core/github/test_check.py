import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.github.check import (
    MAX_ANNOTATIONS,
    CheckView,
    Failure,
    conclude,
    render,
    repository_path,
    title_of,
)
from core.github.markdown import LIMIT_BYTES, block, code, cut_bytes, fit, plain

NEW = Failure(1, "test_a", "new", message="boom", file="tests/a.py")
KNOWN = Failure(2, "test_b", "known_flaky", score=0.97)
COVERED = Failure(3, "test_c", "quarantined")
INFRA = Failure(4, "test_d", "infra")


def view(*failures, **facts):
    base = {"name": "FlakeGuard / CI", "head_sha": "a" * 40, "repository_id": 1, "run_id": 2, "attempt": 1}
    return CheckView(
        **{**base, "reports": 1, "passed": 10, "failed": len(failures), "failures": failures, **facts}
    )


@pytest.mark.parametrize(
    ("seen", "advisory", "gate"),
    [
        (view(), "success", "success"),
        (view(COVERED), "success", "success"),
        (view(KNOWN), "neutral", "failure"),
        (view(NEW), "neutral", "failure"),
        (view(INFRA, COVERED), "neutral", "failure"),
        (view(reports=0), "neutral", ""),
        (view(partial=True), "neutral", ""),
        (view(NEW, partial=True), "neutral", "failure"),
        (view(COVERED, more_failures=1), "neutral", "failure"),
        (view(run_conclusion="failure"), "neutral", "failure"),
        (view(COVERED, run_conclusion="failure"), "success", "success"),
    ],
)
def test_nothing_blocks_without_gate_mode_and_nothing_unproven_passes_with_it(seen, advisory, gate):
    fields = {name: getattr(seen, name) for name in seen.__slots__}
    assert conclude(seen) == advisory
    assert conclude(CheckView(**{**fields, "gate": True})) == gate


@pytest.mark.parametrize(
    ("seen", "title"),
    [
        (view(), "10 tests passed"),
        (view(flaky=2), "10 tests passed, 2 only on a retry"),
        (view(NEW, COVERED), "2 failures: 1 new, 1 known flaky (quarantined)"),
        (view(NEW), "1 failure: 1 new"),
        (view(reports=0), "No test results"),
        (view(run_conclusion="failure"), "The workflow failed, but no test did"),
    ],
)
def test_the_title_is_one_sentence(seen, title):
    assert title_of(seen) == title


@pytest.mark.parametrize(
    ("seen", "buttons"),
    [
        (view(), []),
        (view(NEW), ["rerun_failed", "quarantine", "not_flaky"]),
        (view(COVERED), ["rerun_failed"]),
        (view(NEW, fork=True), ["rerun_failed"]),
        (view(NEW, may_rerun=False), ["quarantine", "not_flaky"]),
        (view(NEW, attempt=50), ["quarantine", "not_flaky"]),
    ],
)
def test_buttons_are_where_they_have_an_effect(seen, buttons):
    assert [one.identifier for one in render(seen).actions] == buttons


def test_buttons_fit_githubs_limits():
    for one in render(view(NEW)).actions:
        assert len(one.label) <= 20
        assert len(one.identifier) <= 20
        assert len(one.description) <= 40


HOSTILE = [
    "`@everyone` #1 <img src=x> [l](http://evil)",
    "a|b",
    "```\n# head\n```",
    "</code></details><script>",
    "\u202egnp.exe\u2066",
    "line\nbreak\r\nmore",
    "https://evil.example @team/all GH-12 acme/web#3",
    "`" * 3000,
    "",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_inside_its_code_span(name):
    row = code(name)
    inside = re.fullmatch(r"(`+) ?(.*?) ?\1", row.replace("\\|", "/"))
    assert inside
    assert inside[1] not in inside[2]
    assert "\n" not in row
    assert not re.search(r"(?<!\\)\|", row)


@pytest.mark.parametrize("message", HOSTILE)
def test_a_hostile_message_cannot_close_its_block(message):
    opening, *body, closing = block(message).split("\n")
    fence = opening.removesuffix("text")
    assert closing == fence
    assert not any(line.strip().startswith(fence) for line in body)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_test_renders_a_whole_check(name):
    report = render(view(Failure(1, name or "x", "new", message=name, class_name=name, owner=name)))
    assert "<script>" not in report.text.replace("`<script>", "").split("```")[0]
    assert report.text.count("<details>") == report.text.count("</details>") or "</details>" in name


def test_three_hundred_kilobytes_of_failures_stay_valid_markdown():
    many = tuple(Failure(n, f"test_{n}", "new", message="é" * 3000) for n in range(300))
    report = render(view(*many))
    for part in (report.summary, report.text):
        assert len(part.encode()) <= LIMIT_BYTES
        assert len(re.findall(r"^```", part, re.MULTILINE)) % 2 == 0
        assert part.count("<details>") == part.count("</details>")


@given(st.text(alphabet="é`~\n<details>ab😀 ", max_size=400), st.integers(300, 700))
def test_whatever_is_cut_fits_and_leaves_no_fence_open(text, limit):
    document = fit(f"<details>\n\n{block(text * 5)}\n\n</details>", limit)
    assert len(document.encode()) <= limit
    assert document.encode().decode() == document


@given(st.text(), st.integers(0, 50))
def test_bytes_are_cut_between_characters(text, limit):
    assert len(cut_bytes(text, limit).encode()) <= limit


def test_annotations_are_bounded_and_the_worst_come_first():
    many = [Failure(n, f"t{n}", "quarantined", file="a.py") for n in range(MAX_ANNOTATIONS + 20)]
    annotations = render(view(*many, NEW)).annotations
    assert len(annotations) == MAX_ANNOTATIONS
    assert annotations[0].title.startswith("test_a")


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("tests/a.py", "tests/a.py"),
        ("./tests/a.py", "tests/a.py"),
        ("src\\a.cs", "src/a.cs"),
        ("/etc/passwd", ""),
        ("../../x", ""),
        ("C:\\x", ""),
        ("https://x/y", ""),
        ("", ""),
    ],
)
def test_annotations_point_inside_the_repository(file, path):
    assert repository_path(file) == path


def test_a_title_keeps_no_control_characters():
    assert plain("a\x00\u202e b\n c", 20) == "a b c"


def test_rendering_twice_says_the_same():
    assert render(view(NEW, KNOWN)) == render(view(NEW, KNOWN))
