"""Who may use which admin route. A route that this table does not name cannot be made, and nobody passes by default."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

from msgspec import Struct

from rixin.accounts.roles import ROLES, Role

PREFIX: Final = "/admin/v1"
_PARAMETER = re.compile(r"\{\w+(:path)?\}")


class Policy(Struct, frozen=True):
    """Who may use a route, and how that is written down."""

    roles: frozenset[Role] | None
    """What who asks must be, by a login, or by a key of the scope `admin`; None lets everyone in."""
    act: str | None = None
    """The name of the act in the audit log. None where nothing is done, or where what does it writes it down."""
    here: bool = False
    """Whether files of the server's machine are touched, which only its owner on that machine may have done."""
    unbound: bool = False
    """Whether a key that is narrower than whose it is stays out, for what is made there would not be."""


EVERYONE: Final = Policy(None)
KNOWN: Final = Policy(frozenset(ROLES))
"""People see what concerns themselves."""
READERS: Final = Policy(frozenset({"owner", "admin", "auditor"}))
HOLDERS: Final = Policy(frozenset({"owner", "admin", "member"}))
"""People change what is theirs."""
MANAGERS: Final = Policy(frozenset({"owner", "admin"}))
PEOPLE_MANAGERS: Final = Policy(MANAGERS.roles, unbound=True)
"""A user who is made, or given a password or a plan, makes keys without the bounds of the key that did it."""


def _managing(act: str) -> Policy:
    return Policy(MANAGERS.roles, act)


def _holding(act: str) -> Policy:
    return Policy(HOLDERS.roles, act)


def _here(act: str | None = None) -> Policy:
    return Policy(frozenset({"owner"}), act, here=True)


POLICIES: Final[Mapping[tuple[str, str], Policy]] = {
    ("GET", f"{PREFIX}/openapi.json"): EVERYONE,
    ("GET", f"{PREFIX}/setup"): EVERYONE,
    ("POST", f"{PREFIX}/setup"): EVERYONE,
    ("POST", f"{PREFIX}/login"): EVERYONE,
    ("GET", f"{PREFIX}/oidc/start"): EVERYONE,
    ("GET", f"{PREFIX}/oidc/callback"): EVERYONE,
    ("POST", f"{PREFIX}/logout"): KNOWN,
    ("GET", f"{PREFIX}/session"): KNOWN,
    ("PUT", f"{PREFIX}/session/password"): KNOWN,
    ("GET", f"{PREFIX}/session/logins"): KNOWN,
    ("DELETE", f"{PREFIX}/session/logins"): KNOWN,
    ("DELETE", f"{PREFIX}/session/logins/{{login_id}}"): KNOWN,
    ("GET", f"{PREFIX}/users"): READERS,
    ("POST", f"{PREFIX}/users"): PEOPLE_MANAGERS,
    ("GET", f"{PREFIX}/users/{{user_id}}"): KNOWN,
    ("PATCH", f"{PREFIX}/users/{{user_id}}"): PEOPLE_MANAGERS,
    ("DELETE", f"{PREFIX}/users/{{user_id}}"): PEOPLE_MANAGERS,
    ("PUT", f"{PREFIX}/users/{{user_id}}/password"): PEOPLE_MANAGERS,
    ("GET", f"{PREFIX}/teams"): KNOWN,
    ("POST", f"{PREFIX}/teams"): PEOPLE_MANAGERS,
    ("PATCH", f"{PREFIX}/teams/{{team_id}}"): PEOPLE_MANAGERS,
    ("DELETE", f"{PREFIX}/teams/{{team_id}}"): PEOPLE_MANAGERS,
    ("GET", f"{PREFIX}/teams/{{team_id}}/members"): KNOWN,
    ("PUT", f"{PREFIX}/teams/{{team_id}}/members/{{user_id}}"): HOLDERS,
    ("DELETE", f"{PREFIX}/teams/{{team_id}}/members/{{user_id}}"): HOLDERS,
    ("GET", f"{PREFIX}/keys"): KNOWN,
    ("POST", f"{PREFIX}/keys"): HOLDERS,
    ("POST", f"{PREFIX}/access-keys"): HOLDERS,
    ("PATCH", f"{PREFIX}/keys/{{key_id}}"): HOLDERS,
    ("DELETE", f"{PREFIX}/keys/{{key_id}}"): HOLDERS,
    ("GET", f"{PREFIX}/audit"): READERS,
    ("GET", f"{PREFIX}/audit/verify"): READERS,
    ("GET", f"{PREFIX}/status"): READERS,
    ("GET", f"{PREFIX}/usage/summary"): KNOWN,
    ("GET", f"{PREFIX}/usage/summary.csv"): KNOWN,
    ("GET", f"{PREFIX}/usage/recent"): KNOWN,
    ("GET", f"{PREFIX}/usage/recent.csv"): KNOWN,
    ("GET", f"{PREFIX}/requests"): KNOWN,
    # It shows what was said, where that is kept.
    ("GET", f"{PREFIX}/requests/{{request_id}}"): Policy(KNOWN.roles, "request.read"),
    ("POST", f"{PREFIX}/requests/{{request_id}}/explain"): _managing("request.explain"),
    ("GET", f"{PREFIX}/providers"): READERS,
    ("POST", f"{PREFIX}/providers"): _managing("provider.create"),
    ("POST", f"{PREFIX}/providers/preview"): MANAGERS,
    ("POST", f"{PREFIX}/providers/import/preview"): MANAGERS,
    ("POST", f"{PREFIX}/providers/import"): _managing("provider.import"),
    ("GET", f"{PREFIX}/providers/{{name}}"): READERS,
    ("PATCH", f"{PREFIX}/providers/{{name}}"): _managing("provider.change"),
    ("DELETE", f"{PREFIX}/providers/{{name}}"): _managing("provider.delete"),
    ("GET", f"{PREFIX}/presets"): READERS,
    ("GET", f"{PREFIX}/rewrite-fields"): READERS,
    ("GET", f"{PREFIX}/pools"): READERS,
    ("POST", f"{PREFIX}/providers/{{name}}/doctor"): _managing("provider.examine"),
    ("POST", f"{PREFIX}/providers/{{name}}/doctor/keep"): _managing("provider.keep"),
    ("GET", f"{PREFIX}/providers/{{name}}/learned"): READERS,
    ("DELETE", f"{PREFIX}/providers/{{name}}/learned"): _managing("provider.forget"),
    ("GET", f"{PREFIX}/plans"): KNOWN,
    ("GET", f"{PREFIX}/quotas"): KNOWN,
    ("GET", f"{PREFIX}/files"): KNOWN,
    ("GET", f"{PREFIX}/files/room"): KNOWN,
    ("POST", f"{PREFIX}/files/{{file_id}}/link"): _holding("file.read"),
    ("DELETE", f"{PREFIX}/files/{{file_id}}"): _holding("file.delete"),
    ("GET", f"{PREFIX}/knowledge-bases"): KNOWN,
    ("POST", f"{PREFIX}/knowledge-bases"): _holding("knowledge.create"),
    ("GET", f"{PREFIX}/knowledge-bases/{{base_id}}"): KNOWN,
    ("PATCH", f"{PREFIX}/knowledge-bases/{{base_id}}"): _holding("knowledge.change"),
    ("DELETE", f"{PREFIX}/knowledge-bases/{{base_id}}"): _holding("knowledge.delete"),
    ("POST", f"{PREFIX}/knowledge-bases/{{base_id}}/files"): _holding("knowledge.attach"),
    ("DELETE", f"{PREFIX}/knowledge-bases/{{base_id}}/files/{{file_id}}"): _holding("knowledge.detach"),
    ("POST", f"{PREFIX}/knowledge-bases/{{base_id}}/search"): _holding("knowledge.search"),
    ("GET", f"{PREFIX}/settings"): READERS,
    ("POST", f"{PREFIX}/settings/reload"): _managing("settings.reload"),
    ("GET", f"{PREFIX}/installation"): READERS,
    ("GET", f"{PREFIX}/machine"): KNOWN,
    ("GET", f"{PREFIX}/agents"): KNOWN,
    ("POST", f"{PREFIX}/agents/{{name}}/sheets"): KNOWN,
    ("POST", f"{PREFIX}/agents/{{name}}/diff"): _here(),
    ("POST", f"{PREFIX}/agents/{{name}}/connect"): _here("agent.connect"),
    ("POST", f"{PREFIX}/agents/{{name}}/restore"): _here("agent.restore"),
    ("GET", f"{PREFIX}/skills"): _here(),
    ("POST", f"{PREFIX}/skills/look"): _here("skill.look"),
    ("POST", f"{PREFIX}/skills/install"): _here("skill.install"),
    ("POST", f"{PREFIX}/skills/remove"): _here("skill.remove"),
    ("GET", f"{PREFIX}/models"): KNOWN,
    ("GET", f"{PREFIX}/names"): READERS,
    ("GET", f"{PREFIX}/engines"): READERS,
    ("POST", f"{PREFIX}/engines/{{name:path}}/load"): _managing("engine.load"),
    ("POST", f"{PREFIX}/engines/{{name:path}}/unload"): _managing("engine.unload"),
}
"""By method and path."""


def required_policy(operations: Iterable[tuple[str, str]]) -> Policy:
    """The policy of a route, by the methods and paths that it serves.

    Raises:
        LookupError: No policy says who may use it, or its methods have different ones.
    """
    policies: set[Policy] = set()
    for method, path in operations:
        if (method, path) not in POLICIES:
            raise LookupError(f"no policy says who may {method} {path}; add it to {__name__}.POLICIES")
        policies.add(POLICIES[method, path])
    if len(policies) != 1:
        raise LookupError("the methods of a route have different policies, or none; make them routes of their own")
    return policies.pop()


def methods_at(path: str) -> list[str]:
    """The methods that a path takes, in order. Of templates that it fits the one with the fewest parameters counts."""
    fitting = [template for template in {template for _, template in POLICIES} if _pattern(template).fullmatch(path)]
    nearest = min(fitting, key=lambda template: template.count("{"), default=None)
    return sorted(method for method, template in POLICIES if template == nearest)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """What fits a template; a parameter is a part of a path, or with `:path` any number of them."""
    return re.compile(_PARAMETER.sub(lambda found: ".+" if found[1] else "[^/]+", template))
