import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codes import AMBIGUOUS, RETRIED, SKIPPED, clean, code_of, outcome_of
from core.report import Attempt, CaseResult, Outcome, TestKey
from core.sheet import BLOCK_MAX, Digest, blocks_of, read_sheet, sheets

TEXT = st.text(st.characters(codec=None), max_size=3) | st.sampled_from(
    ["", "a", "=", "*", "1", "\x1e", "a\x1eb"]
)
KEYS = st.lists(st.builds(TestKey, TEXT, TEXT, TEXT, TEXT, TEXT), max_size=30)
ATTEMPTS = st.builds(Attempt, st.sampled_from(Outcome), st.none() | st.floats(0, 100), st.none() | TEXT)
CASES = st.lists(
    st.builds(
        CaseResult,
        st.builds(TestKey, TEXT, TEXT, TEXT),
        st.lists(ATTEMPTS, min_size=1, max_size=3).map(tuple),
        st.booleans(),
    ),
    max_size=20,
)


def keys_of(blocks):
    return [block.key for block in blocks]


def content(cases):
    digest = Digest()
    for sheet in sheets(cases):
        digest.add(sheet)
    return digest.value()


@given(CASES)
def test_a_sheet_says_what_the_cases_say(cases):
    sheet = read_sheet(cases)
    assert sheet.codes.tolist() == [code_of(case) for case in cases]
    plain = {Outcome.PASSED, Outcome.SKIPPED}
    odd = [
        (place, case)
        for place, case in enumerate(cases)
        if case.ambiguous or len(case.attempts) > 1 or case.outcome not in plain
    ]
    assert list(sheet.odd) == odd


@given(KEYS)
def test_blocks_cover_the_report_in_order(keys):
    blocks = blocks_of(keys)
    assert [place for block in blocks for place in range(block.start, block.stop)] == list(range(len(keys)))
    assert all(0 < block.stop - block.start <= BLOCK_MAX for block in blocks)


@given(KEYS, KEYS)
def test_blocks_of_other_names_have_other_keys(one, other):
    assert (one == other) == (keys_of(blocks_of(one)) == keys_of(blocks_of(other)))


def test_a_name_with_the_separator_is_not_two_names():
    one = [TestKey("", "c", "a\x1eb"), TestKey("", "c", "d")]
    other = [TestKey("", "c", "a"), TestKey("", "c", "b\x1ed")]
    assert keys_of(blocks_of(one)) != keys_of(blocks_of(other))


def test_a_new_class_changes_only_the_blocks_around_it():
    before = [TestKey("s", f"class{number // 10}", f"test{number}") for number in range(3000)]
    after = [*before[:1000], TestKey("s", "a new class", "t"), *before[1000:]]
    kept = set(keys_of(blocks_of(before))) & set(keys_of(blocks_of(after)))
    assert len(kept) >= len(blocks_of(before)) - 2


@given(CASES, CASES)
def test_content_is_the_same_only_for_the_same_story(one, other):
    assert (story(one) == story(other)) == (content(one) == content(other))


def story(cases):
    """What was said beside a test that simply passed or was skipped is not part of it."""
    return [(case.key, case.ambiguous, told(case)) for case in cases]


def told(case):
    plain = len(case.attempts) == 1 and not case.outcome.bad and not case.ambiguous
    return (case.outcome, case.duration) if plain else case.attempts


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        (["passed"], 0),
        (["failed"], 1),
        (["error"], 2),
        (["skipped"], SKIPPED),
        (["failed", "passed"], RETRIED),
        (["passed", "passed"], 0),
        (["failed", "error"], RETRIED | 2),
    ],
)
def test_codes(outcomes, code):
    case = CaseResult(TestKey("", "", "t"), tuple(Attempt(Outcome(one)) for one in outcomes))
    assert code_of(case) == code
    assert outcome_of(code) is case.outcome
    assert clean(code) == (len(set(outcomes)) == 1 and not code & RETRIED)
    assert code_of(CaseResult(case.key, case.attempts, ambiguous=True)) == code | AMBIGUOUS
