"""What surrounds contacts: token, organization, divisions, queues, limits."""

import fnmatch
import re

from ...organization import errors, organization
from ...organization.auth import UNLIMITED
from ...organization.clock import iso
from ..calls import Call, Reply


def get_token(call: Call) -> Reply:
    entity = call.world.organization.entity()
    return Reply(
        200,
        {
            "organization": entity,
            "homeOrganization": entity,
            "authorizedScope": [],
            "OAuthClient": {
                "id": call.token.client_id,
                "name": call.token.client_id,
                "authorizedGrantType": "CLIENT-CREDENTIALS",
                "state": "active",
                "organization": entity,
            },
        },
    )


def delete_token(call: Call) -> Reply:
    call.world.tokens.revoke(call.token)
    return Reply(200)


def get_organization(call: Call) -> Reply:
    return Reply(200, call.world.organization.wire())


def list_divisions(call: Call) -> Reply:
    name, ids = call.query.get("name", "").lower(), call.many("id")
    divisions = [
        division.wire()
        for division in call.world.organization.divisions.values()
        if (not ids or division.id in ids) and (not name or _matches(division.name, name))
    ]
    return Reply(200, call.numbered_page(divisions, default_size=25))


def get_home_division(call: Call) -> Reply:
    return Reply(200, call.world.organization.home.wire())


def get_division(call: Call) -> Reply:
    division = call.world.organization.divisions.get(call.part("divisionId"))
    if division is None:
        raise errors.generic(404)
    return Reply(200, division.wire())


def list_queues(call: Call) -> Reply:
    """Queues by name: "leading and trailing asterisks allowed"."""
    name, ids, divisions = call.query.get("name", "").lower(), call.many("id"), call.many("divisionId")
    queues = [
        queue.wire(iso(call.world.started))
        for queue in call.world.organization.queues
        if (not name or _matches(queue.name, name))
        and (not ids or queue.id in ids)
        and (not divisions or queue.division.id in divisions)
    ]
    if call.choice("sortOrder", ("asc", "desc", "ascending", "descending"), default="asc") in {"desc", "descending"}:
        queues.reverse()
    return Reply(200, call.numbered_page(queues, default_size=25))


def get_queue(call: Call) -> Reply:
    for queue in call.world.organization.queues:
        if queue.id == call.part("queueId"):
            return Reply(200, queue.wire(iso(call.world.started)))
    raise errors.generic(404)


def _matches(name: str, pattern: str) -> bool:
    literal = re.sub(r"([\[?])", r"[\1]", pattern)  # only the asterisk is special
    return fnmatch.fnmatchcase(name.lower(), literal)


def list_limits(call: Call) -> Reply:
    return _limits(call, rate=call.world.settings.rate_limit or UNLIMITED)


def list_default_limits(call: Call) -> Reply:
    return _limits(call, rate=organization.DEFAULT_RATE)


def _limits(call: Call, *, rate: int) -> Reply:
    namespace = call.part("namespaceName")
    if namespace not in organization.NAMESPACES:
        raise errors.generic(404)
    return Reply(200, {"entities": organization.limits(namespace, rate=rate)})
