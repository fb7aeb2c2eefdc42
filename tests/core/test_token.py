import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.token import make_token, token_hash, well_formed

RANDOM = bytes(range(32))


@given(st.binary(min_size=32, max_size=32))
def test_a_token_made_here_is_well_formed(randomness):
    token = make_token("ingest", randomness)
    assert token.startswith("fg_ingest_")
    assert well_formed(token)


@given(st.binary(min_size=32, max_size=32), st.data())
def test_one_wrong_character_is_noticed(randomness, data):
    token = make_token("read", randomness)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(
        st.characters(min_codepoint=33, max_codepoint=126).filter(lambda one: one != token[place])
    )
    assert not well_formed(token[:place] + other + token[place + 1 :])


@pytest.mark.parametrize(
    "text", ["", "fg_", "fg_x_y_z", "xoxb-1-2", "fg_ingest_" + "a" * 43 + "_00000000", "\ud800"]
)
def test_other_text_is_no_token(text):
    assert not well_formed(text)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_token_needs_all_its_randomness(size):
    with pytest.raises(ValueError, match="32"):
        make_token("read", b"x" * size)


def test_only_the_hash_is_looked_up():
    token = make_token("admin", RANDOM)
    assert len(token_hash(token)) == 32
    assert token_hash(token) != token_hash(token + " ")
    assert token.encode() not in token_hash(token)
