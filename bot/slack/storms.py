"""What people do about a storm: look at its tests, call it infrastructure, treat them one by one, mute it."""

from bot.slack.blocks import notice, waiting
from bot.slack.blocks.pieces import Message, View
from bot.slack.kit import Kit
from bot.slack.tenancy import project_of
from bot.slack.visit import Visitor
from core.errors import NotFoundError, ValidationError
from core.storm import Storm, parse_storm
from jobs.calm import blame_infrastructure, mute_storm, split_storm
from jobs.storm_card import storm_names
from storage.database import Tx
from storage.storm import get_storm, tests_of_storm

MUTE_HOURS = 4


def storm_of(tx: Tx, visitor: Visitor, name: str) -> Storm:
    """The storm a button is about; foreign is missing."""
    storm = get_storm(tx, None, parse_storm(name))
    try:
        project_of(tx, visitor, storm.project_id)
    except NotFoundError as error:
        raise NotFoundError(f"There is no storm {storm.name}.") from error
    return storm


async def tests_dialog(kit: Kit, visitor: Visitor, value: str) -> None:
    """The tests that fail together."""

    def look(tx: Tx) -> View:
        storm = storm_of(tx, visitor, value)
        return waiting.storm_tests(storm_names(tx, storm), len(tests_of_storm(tx, storm)))

    await kit.fill(visitor, "Failing together", lambda: kit.read(look))


async def more(kit: Kit, visitor: Visitor, value: str) -> Message:
    """The storm's overflow menu."""
    verb, _, name = value.partition(":")
    storm = await kit.read(storm_of, visitor, name)
    person = await kit.person(visitor)
    match verb:
        case "infra":
            done = await kit.act(blame_infrastructure, storm.id, by=person, project_id=storm.project_id)
            return notice.done(f"Those runs count for nothing any more{_asked(len(done))}.")
        case "split":
            done = await kit.act(split_storm, storm.id, by=person, project_id=storm.project_id)
            return notice.done(f"The tests are treated one by one{_asked(len(done))}.")
        case "mute4":
            await kit.act(
                mute_storm,
                storm.id,
                by=person,
                team=visitor.workspace.route_team,
                channel=visitor.visit.channel,
                hours=MUTE_HOURS,
                project_id=storm.project_id,
            )
            return notice.done(f"Nothing new is said here for {MUTE_HOURS} hours.")
        case _:
            raise ValidationError("This button belongs to another version of FlakeGuard.")


def _asked(proposals: int) -> str:
    return f"; {proposals} proposed" if proposals else ""
