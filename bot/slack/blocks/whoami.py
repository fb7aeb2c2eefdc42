"""`whoami`: what somebody may do, and why not more."""

from bot.slack.blocks.pieces import Message, actions, context, section
from bot.slack.blocks.web import web_button
from bot.slack.blocks.words import count
from bot.slack.escape import escape
from bot.slack.pages import Membership, WhoPage

MAX_SHOWN = 15


def whoami(page: WhoPage) -> Message:
    """Every refusal a click could meet, explained beforehand."""
    login = f"GitHub login `{escape(page.login, 60)}`" if page.login else "no GitHub login linked"
    lines = [_membership(item) for item in page.memberships[:MAX_SHOWN]]
    rest = len(page.memberships) - MAX_SHOWN
    lines += [f"and {count(rest, 'more repository', 'more repositories')}"] if rest > 0 else []
    refusal = f":no_entry_sign: *{page.refusal}*\n" if page.refusal else ""
    body = refusal + ("\n".join(lines) or "This workspace has no repository yet.")
    text = page.refusal or "; ".join(f"{escape(item.repo)}: {item.role}" for item in page.memberships[:5])
    blocks = [
        section(f"You are <@{page.user}>, {login}."),
        section(body),
        actions(web_button()) if page.web else None,
        context("Only you see this"),
    ]
    return Message(text or "You are not known in any repository.", tuple(block for block in blocks if block))


def _membership(item: Membership) -> str:
    repo = f"*{escape(item.repo, 140)}*"
    if not item.role.may_decide:
        return f"{repo}: {item.role}. You may look and propose; approvers and admins decide."
    through = f", through <!subteam^{item.through}>" if item.through.isalnum() and item.through else ""
    own = "" if item.policy.allow_self_approval else " You may not approve what you proposed yourself."
    quorum = item.policy.approvals_required
    needed = f" {count(quorum, 'approval')} needed." if quorum > 1 else ""
    return f"{repo}: {item.role}{through}.{own}{needed}"
