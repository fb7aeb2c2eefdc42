"""Where the GitHub App is installed is asked once, and a GitHub that is away only hides the button."""

import asyncio

import pytest

from bot.slack.github_app import GitHubApp
from core.errors import ForgeError


class Reply:
    def __init__(self, **said):
        self.said = said

    def data(self):
        return self.said


class GitHub:
    """Answers in turn; an error is raised."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), 0

    def __call__(self):
        self.asked += 1
        answer = self.answers[min(self.asked, len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


KNOWN = Reply(html_url="https://github.com/apps/flakeguard")


def test_the_address_is_asked_once():
    github = GitHub(KNOWN)
    app = GitHubApp(github)

    addresses = [asyncio.run(app.install_url()) for _ in range(3)]

    assert set(addresses) == {"https://github.com/apps/flakeguard/installations/new"}
    assert github.asked == 1


@pytest.mark.parametrize("first", [ForgeError("down"), Reply(), Reply(html_url=7)])
def test_what_github_does_not_say_is_asked_again(first):
    app = GitHubApp(GitHub(first, KNOWN))

    assert asyncio.run(app.install_url()) == ""
    assert asyncio.run(app.install_url()).endswith("/installations/new")


def test_without_an_app_there_is_no_address():
    assert asyncio.run(GitHubApp.of(None).install_url()) == ""
