"""What is kept of a long text does not depend on how it arrives: found by fuzzing."""

import pytest

from core.junit.stretch import Stretch


@pytest.mark.parametrize("length", [5, 20, 21, 35, 45, 99])
@pytest.mark.parametrize("step", [1, 7, 15, 200])
def test_the_same_is_kept_of_a_text_however_it_arrives(length, step):
    data = bytes(65 + n % 26 for n in range(length))
    stretch = Stretch(10)
    kept = b"".join(stretch.add(data, at, min(at + step, length)) for at in range(0, length, step))
    expected = data if length <= 20 else data[:10] + data[-10:]
    assert kept + stretch.end() == expected
