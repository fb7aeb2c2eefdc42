"""Everything GitHub and its workflow runs call, in one router."""

from fastapi import APIRouter

from bot.github.config import GitHubConfig
from bot.github.oidc import OidcVerifier, oidc_router
from bot.github.webhook import webhook_router
from bot.settings import Settings
from jobs.desk import Desk


def github_router(desk: Desk, settings: Settings) -> APIRouter:
    """`POST /github/webhooks` and `POST /api/v1/auth/github-oidc`."""
    config = GitHubConfig.of(settings)
    router = APIRouter()
    router.include_router(webhook_router(desk, config))
    router.include_router(oidc_router(desk, OidcVerifier(config, now=desk.now)))
    return router
