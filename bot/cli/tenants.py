"""Commands for who is there: org, project, token, approver."""

import re
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

import typer

from bot.cli.opened import opened, operator
from bot.cli.output import Json, emit, note, say, show_table
from core.errors import ValidationError
from core.tenancy import Role, Scope

if TYPE_CHECKING:
    from core.tenancy import Project
    from jobs.desk import Desk

REPO = typer.Argument(..., metavar="OWNER/NAME", help="The repository.")
_PERIOD = re.compile(r"(\d{1,5})\s*([hdw])")
_SLACK_USER = re.compile(r"[UW][A-Z0-9]+")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def add_commands(app: typer.Typer) -> None:
    """Register them."""
    org = typer.Typer(help="Organizations: the tenants of one server.", no_args_is_help=True)
    org.command("create")(create_org)
    org.command("list")(list_orgs)
    project = typer.Typer(help="Projects: one for each repository.", no_args_is_help=True)
    project.command("create")(create_project)
    project.command("list")(list_all_projects)
    token = typer.Typer(help="API tokens: shown once, kept as a hash.", no_args_is_help=True)
    token.command("create")(create_token)
    token.command("revoke")(revoke_token)
    token.command("list")(list_project_tokens)
    approver = typer.Typer(help="Who may decide about quarantine.", no_args_is_help=True)
    approver.command("add")(add_approver)
    approver.command("remove")(remove_approver)
    approver.command("list")(list_approvers)
    for name, group in (("org", org), ("project", project), ("token", token), ("approver", approver)):
        app.add_typer(group, name=name)


def period(text: str) -> timedelta:
    """`90d`, `2w`, `12h`."""
    found = _PERIOD.fullmatch(text.strip().lower())
    if not found:
        raise typer.BadParameter(f"{text!r} is not a period; write 90d, 2w or 12h.")
    return int(found[1]) * _UNITS[found[2]]


def project_of(desk: "Desk", repo: str) -> "Project":
    """The project of this name."""
    from bot.pages import project_named

    with desk.database.read() as tx:
        return project_named(tx, repo)


def create_org(name: str = typer.Argument(..., help="Its name."), as_json: bool = Json) -> None:
    """Create an organization; one that exists is left as it is."""
    from bot.views import organization_view
    from jobs.enroll import enroll_organization

    with opened() as desk:
        made = enroll_organization(desk, name, by=operator())
    emit(organization_view(made)) if as_json else say(f"Organization {made.name} ({made.id})")


def list_orgs(as_json: bool = Json) -> None:
    """List the organizations."""
    from bot.views import organization_view
    from storage.organization import list_organizations

    with opened() as desk, desk.database.read() as tx:
        found = list_organizations(tx)
    if as_json:
        emit({"items": [organization_view(one) for one in found], "total": len(found)})
        return
    show_table(("id", "name"), ((one.id, one.name) for one in found), empty="There is no organization yet.")


def create_project(
    repo: str = REPO,
    org: str = typer.Option("", help="The organization; made when missing."),
    channel: list[str] = typer.Option(
        [], "--channel", help="Slack channel id (or TEAM/CHANNEL) that hears of it."
    ),
    default_branch: str = typer.Option("main", help="The branch that merges go to."),
    as_json: bool = Json,
) -> None:
    """Create a project for a repository."""
    from bot.cli.channels import let_hear
    from bot.views import project_view
    from jobs.enroll import enroll_project

    with opened() as desk:
        made = enroll_project(desk, repo, by=operator(), organization=org, default_branch=default_branch)
        for one in channel:
            let_hear(desk, made, one)
    if as_json:
        emit({**project_view(made), "channels": channel})
        return
    say(f"Project {made.repo} ({made.id}), default branch {made.default_branch}")
    note(f"Next: flakeguard token create {made.repo} --scope ingest:trunk")


def list_all_projects(
    org: str = typer.Option("", help="Only of this organization."), as_json: bool = Json
) -> None:
    """List the projects."""
    from bot.views import project_view
    from storage.organization import find_organization
    from storage.project import list_projects

    with opened() as desk, desk.database.read() as tx:
        tenant = find_organization(tx, org) if org else None
        if org and tenant is None:
            raise ValidationError(f"There is no organization {org}.")
        found = list_projects(tx, tenant.id if tenant else None)
    if as_json:
        emit({"items": [project_view(one) for one in found], "total": len(found)})
        return
    rows = ((one.id, one.repo, one.default_branch) for one in found)
    show_table(("id", "repository", "default branch"), rows, empty="There is no project yet.")


def create_token(
    repo: str = REPO,
    scope: Scope = typer.Option(..., help="What it may do; admin includes the others."),
    expires: str = typer.Option(
        "", metavar="PERIOD", help="For how long: 90d, 2w, 12h; without it, for good."
    ),
    name: str = typer.Option("", help="What it is for."),
    as_json: bool = Json,
) -> None:
    """Make a token. It is shown once; only its SHA-256 is kept."""
    from bot.views import token_view
    from jobs.enroll import issue_token

    lifetime = period(expires) if expires else None
    with opened() as desk:
        issued = issue_token(
            desk,
            project_of(desk, repo).id,
            scope,
            by=operator(),
            randomness=secrets.token_bytes(32),
            name=name,
            lifetime=lifetime,
        )
    if as_json:
        emit({"token": issued.raw, **token_view(issued.token)})
        return
    say(issued.raw)
    note(
        f"Token {issued.token.id}, scope {scope.value}. It is shown only now; keep it as a secret of your CI."
    )


def revoke_token(
    token_id: int = typer.Argument(..., metavar="TOKEN_ID", min=1, help="As `token list` shows it."),
    as_json: bool = Json,
) -> None:
    """Make a token useless, at once."""
    from bot.views import token_view
    from jobs.enroll import withdraw_token

    with opened() as desk:
        token = withdraw_token(desk, token_id, by=operator())
    emit(token_view(token)) if as_json else say(f"Token {token.id} is revoked.")


def list_project_tokens(repo: str = typer.Argument("", metavar="[OWNER/NAME]"), as_json: bool = Json) -> None:
    """List tokens, of one project or of all, without their secrets."""
    from bot.views import token_view
    from storage.project import list_projects
    from storage.token import list_tokens

    with opened() as desk:
        wanted = [project_of(desk, repo)] if repo else None
        with desk.database.read() as tx:
            projects = wanted or list_projects(tx)
            found = [(project, token) for project in projects for token in list_tokens(tx, project.id)]
    if as_json:
        items = [{"repo": project.repo, **token_view(token)} for project, token in found]
        emit({"items": items, "total": len(items)})
        return
    rows = (
        (t.id, p.repo, t.scope.value, t.name, t.expires_at, t.revoked_at, t.last_used_at) for p, t in found
    )
    titles = ("id", "repository", "scope", "name", "expires", "revoked", "last used")
    show_table(titles, rows, empty="There is no token yet.")


def add_approver(
    repo: str = REPO,
    user: str = typer.Argument(..., metavar="SLACK_USER", help="Slack user id such as U024BE7LH."),
    role: Role = typer.Option(Role.APPROVER, help="What the person may do."),
    as_json: bool = Json,
) -> None:
    """Give a person a role in a project."""
    from bot.views import role_view
    from jobs.enroll import give_role

    with opened() as desk:
        give_role(desk, project_of(desk, repo).id, user, role, by=operator())
    emit(role_view(user, role)) if as_json else say(f"{user} is {role.value} in {repo}.")
    if not _SLACK_USER.fullmatch(user):
        note(f"{user} does not look like a Slack user id such as U024BE7LH: in Slack nobody is known by it.")


def remove_approver(
    repo: str = REPO, user: str = typer.Argument(..., metavar="SLACK_USER"), as_json: bool = Json
) -> None:
    """Take a person's role in a project."""
    from bot.views import role_view
    from jobs.enroll import take_role

    with opened() as desk:
        take_role(desk, project_of(desk, repo).id, user, by=operator())
    emit(role_view(user, Role.VIEWER)) if as_json else say(f"{user} only looks at {repo} now.")


def list_approvers(repo: str = REPO, as_json: bool = Json) -> None:
    """List who may decide in a project."""
    from bot.pages import MAX_LIMIT, Page, roles_page

    with opened() as desk:
        project = project_of(desk, repo)
        with desk.database.read() as tx:
            page = roles_page(tx, project, Page(MAX_LIMIT))
    if as_json:
        emit(page)
        return
    rows = ((item["user"], item["role"]) for item in page["items"])
    show_table(("user", "role"), rows, empty="Nobody may decide yet: flakeguard approver add ...")
