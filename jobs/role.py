"""Find what a person may do: the listed roles are in the tables, a user group's members only Slack knows."""

from core.tenancy import Person, Role, Via
from jobs.desk import Desk
from storage.project import get_policy


def group_role(desk: Desk, project_id: int, by: Person) -> Role:
    """The role the policy's approver group gives; asked before any transaction, and viewer when in doubt."""
    if by.via is not Via.SLACK or desk.chat is None:
        return Role.VIEWER
    with desk.database.read() as tx:
        group = get_policy(tx, project_id).approver_group
    if group and desk.chat.may_decide_in_group(by.team, group, by.user):
        return Role.APPROVER
    return Role.VIEWER
