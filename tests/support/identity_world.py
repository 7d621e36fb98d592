"""A Genesys Cloud and an index side by side, either of which can die at any call."""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, override

import requests
from requests.adapters import HTTPAdapter

from cir.aws.dynamodb import DynamoDB
from cir.contacts.organization import ExternalSources
from cir.contacts.reading import identifiers_from_genesys, profile_from_genesys
from cir.genesys.client import GenesysClient
from cir.genesys.identifiers import to_genesys
from cir.genesys.models import Contact as GenesysContact
from cir.genesys.transport import Transport
from cir.http.oauth import Credentials
from cir.identity.identifiers import Identifier
from cir.identity.parsing import parse
from cir.identity.records import Contact
from cir.identity.rules import Assurance, IdentifierType, load_rules
from cir.index.review import candidate
from cir.index.store import IdentityStore, TableNames
from cir.merge.merging import Merging
from sandbox.genesys import Emulator
from tests.support.genesys_cloud import GenesysCloud
from tests.support.mortal import KilledError


class Fate:
    """Lets the process die once a number of its calls to the outside have taken effect."""

    def __init__(self) -> None:
        self.calls = 0
        self._last: int | None = None

    @contextmanager
    def dies_after(self, calls: int) -> Iterator[None]:
        self.calls, self._last = 0, calls
        try:
            yield
        except KilledError:
            pass
        finally:
            self._last = None

    def count(self) -> None:
        self.calls += 1
        if self.calls == self._last:
            raise KilledError


class _Adapter(HTTPAdapter):
    def __init__(self, fate: Fate) -> None:
        super().__init__()
        self._fate = fate

    @override
    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        response = super().send(request, *args, **kwargs)
        try:
            self._fate.count()
        except KilledError:
            response.close()
            raise
        return response


class World:
    """What a test sees of both sides."""

    def __init__(self, emulator: Emulator, dynamodb: DynamoDB, tables: TableNames) -> None:
        self.fate = Fate()
        self.tables = tables
        self.writes: list[int] = []
        """Items of each transaction."""
        self.emulator = emulator
        self.cloud = GenesysCloud(emulator.url)
        self._dynamodb = dynamodb
        self._numbers = itertools.count()
        requests.post(f"{emulator.url}/sandbox/reset", timeout=10).raise_for_status()
        session = requests.Session()
        session.mount("http://", _Adapter(self.fate))
        self.client = GenesysClient(
            api_url=emulator.url,
            credentials=Credentials(emulator.client_id, emulator.client_secret),
            transport=Transport(session=session),
        )
        self.store = IdentityStore(self.call, tables)
        self.sources = ExternalSources(self.client)
        for source in ("salesforce", "loyalty"):
            self.client.organization.ensure_external_source(load_rules().external_sources[source].name)
        self.merging = Merging(self.client, self.store, self.sources)

    def call(self, operation: str, request: Mapping[str, Any], *, timeout: float | None = None) -> dict[str, Any]:
        answer = self._dynamodb(operation, request, timeout=timeout)
        if operation == "TransactWriteItems":
            self.writes.append(len(request["TransactItems"]))
        self.fate.count()
        return answer

    def division(self, number: int) -> str:
        """The id of one of the organization's divisions; 0 is the home division."""
        overview = requests.get(f"{self.emulator.url}/sandbox", timeout=10).json()
        return str(overview["divisions"][number]["id"])

    def fault(self, **fault: object) -> None:
        requests.post(f"{self.emulator.url}/sandbox/faults", json=fault, timeout=10).raise_for_status()

    def events(self, after: int = 0) -> list[dict[str, Any]]:
        """What Genesys has told, with its number."""
        answer = requests.get(
            f"{self.emulator.url}/sandbox/events", params={"after": after, "limit": 10_000}, timeout=10
        )
        found: list[dict[str, Any]] = answer.json()["events"]
        return found

    @property
    def last_event(self) -> int:
        return int(requests.get(f"{self.emulator.url}/sandbox", timeout=10).json()["lastEvent"])

    def in_genesys(self, fields: Mapping[str, Any] | None = None, *identifiers: Identifier, division: str = "") -> str:
        """A contact that somebody makes in Genesys; the index does not know it."""
        body: Any = {**(fields or {}), **self.body(identifiers)}
        stranger: Any = {"type": "Cookie", "value": f"stranger-{next(self._numbers)}"}
        request: Any = {"action": "Insert", "matchingIdentifiers": [stranger], "contact": body}
        if division:
            request["division"] = {"id": division}
        return self.client.contacts.enrich(request).contact["id"]

    def customer(self, *identifiers: Identifier, source: str = "genesys", division: str = "", **fields: Any) -> Contact:
        """A contact that both sides know."""
        contact_id = self.in_genesys(fields, *identifiers, division=division)
        contact = Contact(contact_id, profile_from_genesys(self.client.contacts.get(contact_id)), identifiers).changed()
        self.store.put_contact(
            contact,
            decision=self.store.decision(contact_id, "sync", "made for a test"),
            source=source,
            assurance=Assurance.CLAIMED,
        )
        return contact

    def body(self, identifiers: Iterable[Identifier]) -> dict[str, Any]:
        """Fields that carry the identifiers."""
        body: dict[str, Any] = {}
        phones, emails = iter(_PHONES), iter(_EMAILS)
        for each in identifiers:
            if each.type is IdentifierType.PHONE:
                if slot := next(phones, None):
                    body[slot] = {"display": each.value}
            elif each.type is IdentifierType.EMAIL:
                body[next(emails)] = each.value
            elif each.type is IdentifierType.EXTERNAL:
                external: Any = to_genesys(each, self.sources.ids())
                entry = {"value": each.value, "externalSource": external["externalSource"]}
                body.setdefault("externalIds", []).append(entry)
        return body

    def leads_to(self, identifier: Identifier) -> set[str]:
        """The canonical contacts that the index has for an identifier."""
        record = self.store.identifiers([identifier], consistent=True).get(identifier)
        heads, _ = self.store.canonical(record.claims if record else (), consistent=True)
        return {each.contact_id for each in heads.values()}

    def head(self, contact_id: str) -> Contact:
        """The canonical contact of any id ever issued."""
        return self.store.canonical([contact_id], consistent=True)[0][contact_id]

    def shown(self, contact: GenesysContact) -> set[Identifier]:
        """The identifiers in the fields of a contact in Genesys."""
        return set(identifiers_from_genesys(contact, self.sources.ids()))

    def holder(self, identifier: Identifier) -> str:
        """Who has claimed an identifier in Genesys."""
        found = self.client.contacts.find(to_genesys(identifier, self.sources.ids()))
        return found["id"] if found else ""


_PHONES = ("workPhone", "cellPhone", "homePhone", "otherPhone")
_EMAILS = ("workEmail", "personalEmail", "otherEmail")


def without_ids(text: str) -> str:
    """The text without its UUIDs: one of them may hold by chance the very digits that a test looks for."""
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "", text)


def phone(number: int) -> Identifier:
    return _parsed(IdentifierType.PHONE, f"+1917555{number:04d}")


def email(name: str) -> Identifier:
    return _parsed(IdentifierType.EMAIL, f"{name}@customers.example")


def loyalty(number: int) -> Identifier:
    return _parsed(IdentifierType.EXTERNAL, f"GLD-{number:05d}", "loyalty")


def crm_id(number: int) -> Identifier:
    return _parsed(IdentifierType.EXTERNAL, f"0035000000{number:05d}", "salesforce")


def _parsed(kind: IdentifierType, text: str, source: str = "") -> Identifier:
    parsed = parse(kind, text, source=source)
    assert isinstance(parsed, Identifier)
    return parsed


def propose(world: World, pair: tuple[str, ...], **details: Any) -> None:
    """Put two contacts into the review queue."""
    world.store.record(candidate(world.store, pair, "alike", **details))
