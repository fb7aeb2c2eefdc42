import pytest

from core.naming import full_name, short_name
from core.report import TestKey


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (TestKey("pytest", "tests.auth.test_login.TestLogin", "test_x[chrome]", "tests/auth/test_login.py"),
         "tests/auth/test_login.py::TestLogin::test_x[chrome]"),
        (TestKey("pytest", "tests.test_a", "test_x", "tests/test_a.py"), "tests/test_a.py::test_x"),
        (TestKey("suite", "com.acme.LoginTest", "redirects"), "com.acme.LoginTest::redirects"),
        (TestKey("suite", "", "redirects"), "suite::redirects"),
        (TestKey("redirects", "", "redirects"), "redirects"),
        (TestKey("", "", "redirects", variant="py311"), "redirects (py311)"),
        (TestKey("s", "login.spec.ts", "shows \u203a a page", "login.spec.ts"), "login.spec.ts::shows \u203a a page"),
    ],
)  # fmt: skip
def test_the_full_name_says_where_and_what(key, name):
    assert full_name(key) == name


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("test_x", "test_x"),
        ("test_x[chrome-1]", "test_x"),
        ("TestLogin::test_x", "test_x"),
        ("login \u203a redirects", "redirects"),
        ("[weird]", "[weird]"),
    ],
)
def test_the_short_name_is_the_last_part_without_parameters(name, short):
    assert short_name(TestKey("s", "c", name)) == short
