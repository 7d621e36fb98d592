"""The emulated organization: divisions, queues, limits."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .errors import JSON, invalid_division
from .models import Reference
from .settings import Settings

UNASSIGNED = "*"  # the division of everything that is assigned to none; in queries it means all divisions
MAX_BODY_BYTES = 512_000  # request.bytes.max
DEFAULT_RATE = 300  # token.rate.per.minute

NAMESPACES = frozenset({"external.contacts", "platform.api", "gdpr", "dataactions", "notifications"})


@dataclass(frozen=True, slots=True)
class Division:
    id: str
    name: str
    home: bool

    def reference(self, *, named: bool) -> JSON:
        name: JSON = {"name": self.name} if named else {}
        return {"id": self.id, **name, "selfUri": f"/api/v2/authorization/divisions/{self.id}"}

    def wire(self) -> JSON:
        return self.reference(named=True) | {"description": "", "homeDivision": self.home}


@dataclass(frozen=True, slots=True)
class Queue:
    id: str
    name: str
    division: Division

    def wire(self, created: str) -> JSON:
        return {
            "id": self.id,
            "name": self.name,
            "division": self.division.reference(named=True),
            "description": "",
            "dateCreated": created,
            "dateModified": created,
            "memberCount": 0,
            "userMemberCount": 0,
            "joinedMemberCount": 0,
            "selfUri": f"/api/v2/routing/queues/{self.id}",
        }


class Organization:
    def __init__(self, settings: Settings) -> None:
        self.configure(settings)

    def configure(self, settings: Settings) -> None:
        """Ids follow from names, so that a queue or division keeps its id whatever comes and goes beside it."""
        self.id = settings.organization_id
        self.name = settings.organization_name
        namespace = uuid.uuid5(uuid.NAMESPACE_OID, settings.organization_id)
        self.divisions = {
            division.id: division
            for division in (
                Division(str(uuid.uuid5(namespace, f"division/{name}")), name, home=position == 0)
                for position, name in enumerate(settings.divisions)
            )
        }
        self.home = next(iter(self.divisions.values()))
        self.queues = [
            Queue(str(uuid.uuid5(namespace, f"queue/{name}")), name, self.home) for name in sorted(settings.queues)
        ]

    def entity(self) -> JSON:
        return {"id": self.id, "name": self.name}

    def wire(self) -> JSON:
        return self.entity() | {
            "defaultLanguage": "en-us",
            "defaultCountryCode": "US",
            "thirdPartyOrgName": self.name.lower(),
            "domain": f"{self.name.lower()}.example",
            "version": 1,
            "state": "active",
            "voicemailEnabled": False,
            "productPlatform": "GenesysCloud",
            "selfUri": "/api/v2/organizations/me",
        }

    def division_to_write(self, given: Reference | None) -> str:
        """The division that a new entity gets: the home division unless the request names another one."""
        if given is None:
            return self.home.id
        self._check([given.id])
        return given.id

    def divisions_to_read(self, given: Sequence[str]) -> tuple[str, ...]:
        """The divisions that a query covers: all of them unless it names some."""
        self._check(given)
        if not given or UNASSIGNED in given:
            return (*self.divisions, UNASSIGNED)
        return tuple(given)

    def _check(self, ids: Sequence[str]) -> None:
        for division_id in ids:
            if division_id != UNASSIGNED and division_id not in self.divisions:
                raise invalid_division(division_id)

    def division_reference(self, division_id: str, *, named: bool) -> JSON:
        if division := self.divisions.get(division_id):
            return division.reference(named=named)
        return {"id": UNASSIGNED}


def limits(namespace: str, *, rate: int) -> list[JSON]:
    """Only keys that are published; for the other namespaces no key is known."""
    values: dict[str, Any] = {}
    if namespace == "platform.api":
        values = {
            "client.credentials.token.rate.per.minute": rate,
            "token.rate.per.minute": rate,
            "org.app.user.rate.per.minute": 3000,
            "request.bytes.max": MAX_BODY_BYTES,
        }
    return [{"key": key, "namespace": namespace, "value": value} for key, value in values.items()]
