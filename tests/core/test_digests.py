from hypothesis import given
from hypothesis import strategies as st

from core.digests import digests
from core.identity import digest
from core.report import TestKey

TEXT = st.text(st.characters(codec=None), max_size=12)


@given(st.lists(st.builds(TestKey, TEXT, TEXT, TEXT, TEXT, TEXT)))
def test_many_digests_are_the_digest_of_each(keys):
    assert digests(keys) == [digest(key) for key in keys]
