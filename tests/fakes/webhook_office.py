"""A server at home, with a project and a real courier: what it sends really goes over loopback."""

from datetime import UTC, datetime

from cryptography.fernet import Fernet
from fakes.tenant import a_project
from sqlalchemy import update
from sqlmodel import col

from bot.settings import Settings
from bot.webhooks import making
from bot.webhooks.courier import WebhookCourier
from core.tenancy import Person, Via
from jobs.connect import Listener, send_test
from jobs.deliver import deliver_due
from jobs.desk import Desk
from storage.database import Database
from storage.endpoint import get_endpoint
from storage.webhook import MessageRow, list_messages

OPERATOR = Person("operator", Via.CLI)


def wall_clock():
    return datetime.now(UTC)  # noqa: TID251 - receivers look at the real clock


class Office:
    """One node's desk, and what a person does at it."""

    def __init__(self, url, **settings):
        self.settings = Settings(
            _env_file=None,
            FLAKEGUARD_DATABASE_URL=url,
            **{"FLAKEGUARD_SECRET_KEY": Fernet.generate_key().decode(), **settings},
        )
        self.ended, self.late = [], 0.0
        self.desk = self.node(Database.open(url))
        self.project = a_project(self.desk.database, now=wall_clock())

    def node(self, database, *, seconds=30.0):
        courier = WebhookCourier(self.settings, wall_clock, count=self.ended.append, seconds=seconds)
        return Desk(database, self.now, courier=courier)

    def hurries(self, seconds):
        """Attempts get no more time than this."""
        object.__setattr__(self.desk, "courier", self.node(self.desk.database, seconds=seconds).courier)

    def now(self):
        return wall_clock()

    def endpoint(self, url, **more):
        listener = Listener(self.project.organization_id, self.project.id)
        made, secret = making.create(self.desk, self.settings, listener, url, by=OPERATOR, **more)
        return made.id, secret

    def tries(self, number):
        """One test event, one attempt, and what is known of it."""
        send_test(self.desk, number, by=OPERATOR)
        deliver_due(self.desk)
        return self.last(number)

    def last(self, number):
        with self.desk.database.read() as tx:
            return list_messages(tx, number)[0][0]

    def found(self, number):
        with self.desk.database.read() as tx:
            return get_endpoint(tx, number)


def due_now(tx, number, now):
    """Whatever waits for the endpoint has waited long enough."""
    waiting = (col(MessageRow.endpoint_id) == number) & (col(MessageRow.state) == "pending")
    tx.execute(update(MessageRow).where(waiting).values(due_at=now))
