"""What every listener works with: the desk, the workspaces, and how to answer; errors become sentences here."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from time import monotonic
from typing import Any, Concatenate, ParamSpec, TypeVar

import structlog
from anyio import CapacityLimiter, to_thread

from bot.settings import Settings
from bot.slack.blocks import dialog, notice
from bot.slack.blocks.pieces import Message, View
from bot.slack.github_app import GitHubApp
from bot.slack.people import People
from bot.slack.reply import Replies
from bot.slack.views import Views
from bot.slack.visit import Visit, Visitor
from bot.slack.workspaces import Workspace, Workspaces
from core.errors import DatabaseError, FlakeGuardError, ForbiddenError
from core.quarantine import SettledError
from core.tenancy import Person
from jobs.desk import Desk
from storage.database import Tx
from storage.slack import first_time

log = structlog.get_logger(__name__)
P = ParamSpec("P")
T = TypeVar("T")
Work = Callable[[Visitor], Awaitable[Message | None]]
Answers = Callable[[Visitor], Awaitable[View | None]]

SETTLE_SECONDS = 0.3
"""An outcome that overtakes its own ack would be covered by the ack's “Saving…”."""
THREADS = 16
"""Database work of Slack's listeners at a time, so that uploads keep their share."""


class Kit:
    """Built once for a face."""

    def __init__(self, desk: Desk, settings: Settings) -> None:
        """Nothing runs yet."""
        self.desk, self.settings = desk, settings
        self.workspaces = Workspaces(settings, desk.database)
        self.replies, self.views = Replies(settings), Views(settings)
        self.people = People(settings)
        self.github_app = GitHubApp.of(desk.forge)
        self._limiter: CapacityLimiter | None = None
        self._running: set[asyncio.Task[None]] = set()

    # -- database work, never on the loop -----------------------------------------------------------

    async def read(self, look: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a read in one snapshot, in a thread."""

        def work() -> T:
            with self.desk.database.read() as tx:
                return look(tx, *args, **kwargs)

        return await to_thread.run_sync(work, limiter=self._threads())

    async def act(self, job: Callable[Concatenate[Desk, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a job in a thread."""
        return await to_thread.run_sync(partial(job, self.desk, *args, **kwargs), limiter=self._threads())

    def _threads(self) -> CapacityLimiter:
        if self._limiter is None:
            self._limiter = CapacityLimiter(THREADS)
        return self._limiter

    # -- who ----------------------------------------------------------------------------------------

    async def person(self, visitor: Visitor) -> Person:
        """The visitor as somebody who acts; guests are known as such."""
        return visitor.person(guest=await self.people.guest(visitor))

    async def _admit(self, visit: Visit) -> Visitor:
        workspace = await self.workspaces.find(visit.team)
        if workspace is None:
            raise ForbiddenError("FlakeGuard is not installed in your workspace.")
        return Visitor(visit, workspace)

    # -- work after the ack -------------------------------------------------------------------------

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Go on after the ack; the task is held here, or it could be collected half done."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def drain(self, seconds: float = 5.0) -> None:
        """Let what was acknowledged come to its end."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)
        await self.replies.close()

    async def serve(self, visit: Visit, work: Work, *, once: bool = False) -> None:
        """Do the work and answer with what it says; `once`: a delivery of the same key has no effect again."""
        visitor = Visitor(visit, Workspace(visit.team, ""))
        try:
            visitor = await self._admit(visit)
            if once and not await self._first(visit):
                return
            answer = await work(visitor)
        except Exception as error:  # noqa: BLE001 - the outermost step: every error becomes a sentence
            answer = sentence(error)
        if answer is not None:
            await self.replies.say(visitor, answer)

    async def serve_dialog(self, visit: Visit, title: str, view_id: str, work: Answers) -> None:
        """The same for a dialog that shows “Saving…”: it is told how it ended."""
        visitor, begun = Visitor(visit, Workspace(visit.team, "")), monotonic()
        try:
            visitor = await self._admit(visit)
            if not await self._first(visit):
                return
            view = await work(visitor)
        except Exception as error:  # noqa: BLE001 - see above
            view = dialog.outcome(title, "warning", spoken(sentence(error)))
        if view is not None:
            await asyncio.sleep(max(0.0, SETTLE_SECONDS - (monotonic() - begun)))
            await self._show(visitor, view_id, view)

    async def _show(self, visitor: Visitor, view_id: str, view: View) -> None:
        try:
            await self.views.update(visitor, view_id, view)
        except FlakeGuardError as error:
            log.warning("slack.dialog_lost", error=error.message)

    async def fill(self, visitor: Visitor, title: str, gather: Callable[[], Awaitable[View]]) -> None:
        """Open a dialog while the trigger is fresh, fill it when the data is there, say so when it is not."""
        view_id = await self.views.open(visitor, dialog.loading(title))
        try:
            view = await gather()
        except DatabaseError as error:
            view = dialog.outcome(title, "warning", spoken(sentence(error)))
        except FlakeGuardError as error:
            view = dialog.outcome(title, "warning", error.message)
        await self.views.update(visitor, view_id, view)

    async def _first(self, visit: Visit) -> bool:
        def claim(desk: Desk) -> bool:
            with desk.database.begin() as tx:
                return first_time(tx, visit.key, desk.now())

        return await self.act(claim)


def sentence(error: Exception) -> Message:
    """What the person is told; the reference leads to the log."""
    match error:
        case SettledError() | ForbiddenError():
            return notice.refused(error.message)
        case DatabaseError():
            ref = secrets.token_hex(2)
            log.warning("slack.database", ref=ref, error=error.message)
            return notice.failed("The database did not answer. Try again in a minute.", ref)
        case FlakeGuardError():
            return notice.refused(error.message)
        case _:
            ref = secrets.token_hex(2)
            log.error("slack.failed", ref=ref, exc_info=error)
            return notice.failed("Something went wrong here; an admin finds it in the log.", ref)


def spoken(message: Message) -> str:
    """A message's words for places without markup."""
    return message.text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
