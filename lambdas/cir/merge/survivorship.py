"""Survivorship: which value each field of an External Contact has when several are combined. Pure.

The contacts are ranked: those that the CRM feeds first, then the most recently modified. Each field comes from the
first in rank that has it; of equals the longest value wins. Phones, addresses and ids are all kept, in the order of the
rank, as far as Genesys Cloud has fields for them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from cir.genesys.fields import EMAIL_SLOTS, PHONE_SLOTS
from cir.genesys.models import Contact as GenesysContact

SINGLE = (
    *("firstName", "middleName", "lastName", "salutation", "title", "address", "externalOrganization"),
    *("externalSystemUrl", "surveyOptOut", "whatsAppId", "twitterId", "facebookId", "instagramId", "lineId"),
)
"""Fields with one value."""
CUSTOM = ("schema", "customFields")
LISTS = {"externalIds": 10, "appleOpaqueIds": 10}
"""Fields with as many values as Genesys takes."""
FIELDS = (*SINGLE, *PHONE_SLOTS, *EMAIL_SLOTS, *LISTS, *CUSTOM)
"""Every field that can be written."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the contacts that are combined."""

    contact_id: str
    fields: Mapping[str, Any]
    from_crm: bool


@dataclass(frozen=True, slots=True)
class Survivor:
    """The value that a field gets."""

    field: str
    value: Any
    contact_id: str
    """Whose value it is; empty where it is put together."""
    rule: str


@dataclass(frozen=True, slots=True)
class Loss:
    """A value that no field of the combined contact has."""

    field: str
    value: Any
    contact_id: str


@dataclass(frozen=True, slots=True)
class Combined:
    """What becomes of all fields."""

    survivors: tuple[Survivor, ...]
    losses: tuple[Loss, ...]

    @property
    def body(self) -> GenesysContact:
        """To write to Genesys: every field that has a value."""
        return cast(GenesysContact, {each.field: each.value for each in self.survivors})


def part(contact: GenesysContact, *, from_crm: bool) -> Part:
    """A contact as Genesys shows it, reduced to what can be written."""
    shown: Mapping[str, Any] = {**contact}
    fields = {field: value for field in FIELDS if (value := _written(field, shown.get(field)))}
    return Part(contact["id"], fields | {"modifyDate": shown.get("modifyDate", "")}, from_crm)


def combine(parts: Iterable[Part]) -> Combined:
    """What one contact made of all of them looks like. The order of the parts does not matter."""
    ranked = sorted(parts, key=lambda each: each.contact_id)
    ranked.sort(key=lambda each: each.fields["modifyDate"], reverse=True)
    ranked.sort(key=lambda each: not each.from_crm)
    survivors: list[Survivor] = []
    losses: list[Loss] = []
    for field in SINGLE:
        _single(field, ranked, survivors, losses)
    for slots in (PHONE_SLOTS, EMAIL_SLOTS):
        _slots(slots, ranked, survivors, losses)
    for field, limit in LISTS.items():
        _list(field, limit, ranked, survivors, losses)
    _custom(ranked, survivors, losses)
    return Combined(tuple(survivors), tuple(losses))


def same(one: Any, other: Any) -> bool:
    """Whether two values of a field say the same: numbers by what they dial, texts without regard to case."""
    return bool(_comparable(one) == _comparable(other))


def _single(field: str, ranked: Sequence[Part], survivors: list[Survivor], losses: list[Loss]) -> None:
    having = [each for each in ranked if field in each.fields]
    if not having:
        return
    equal = [each for each in having if _rank(each) == _rank(having[0])]
    winner = max(equal, key=lambda each: len(str(each.fields[field])))
    value = winner.fields[field]
    others = [each for each in having if not same(each.fields[field], value)]
    survivors.append(Survivor(field, value, winner.contact_id, _rule(winner, others)))
    losses += [Loss(field, each.fields[field], each.contact_id) for each in others]


def _rank(each: Part) -> tuple[bool, str]:
    return (each.from_crm, each.fields["modifyDate"])


def _rule(winner: Part, others: Sequence[Part]) -> str:
    if not others:
        return "only value"
    if winner.from_crm and not any(each.from_crm for each in others):
        return "from the CRM"
    if all(each.fields["modifyDate"] != winner.fields["modifyDate"] for each in others):
        return "modified last"
    return "longest"


def _slots(slots: Sequence[str], ranked: Sequence[Part], survivors: list[Survivor], losses: list[Loss]) -> None:
    """Each value keeps its field if nobody before it in rank has taken it, and otherwise gets a free one."""
    placed: dict[str, Survivor] = {}
    displaced: list[tuple[str, Part]] = []
    seen: list[Any] = []
    for each in ranked:
        for slot in slots:
            value = each.fields.get(slot)
            if value is None or _comparable(value) in seen:
                continue
            seen.append(_comparable(value))
            if slot in placed:
                displaced.append((slot, each))
            else:
                placed[slot] = Survivor(slot, value, each.contact_id, "keeps its field")
    for slot, each in displaced:
        free = next((name for name in slots if name not in placed), "")
        value = each.fields[slot]
        if free:
            placed[free] = Survivor(free, value, each.contact_id, f"moved here from {slot}")
        else:
            losses.append(Loss(slot, value, each.contact_id))
    survivors += (placed[slot] for slot in slots if slot in placed)


def _list(field: str, limit: int, ranked: Sequence[Part], survivors: list[Survivor], losses: list[Loss]) -> None:
    united: list[Any] = []
    for each in ranked:
        for value in each.fields.get(field, ()):
            if value in united:
                continue
            if len(united) < limit:
                united.append(value)
            else:
                losses.append(Loss(field, value, each.contact_id))
    if united:
        survivors.append(Survivor(field, united, "", "all of them"))


def _custom(ranked: Sequence[Part], survivors: list[Survivor], losses: list[Loss]) -> None:
    """Custom fields mean the same within one schema only: that of the first in rank."""
    having = [each for each in ranked if "schema" in each.fields]
    if not having:
        return
    leading = having[0].fields["schema"]["id"]
    matching = [each for each in having if each.fields["schema"]["id"] == leading]
    values: dict[str, Any] = {}
    for each in having:
        for name, value in each.fields.get("customFields", {}).items():
            if each not in matching or (name in values and not same(values[name], value)):
                losses.append(Loss(f"customFields.{name}", value, each.contact_id))
            else:
                values.setdefault(name, value)
    newest = max((each.fields["schema"] for each in matching), key=lambda schema: schema["version"])
    survivors.append(Survivor("schema", newest, "", "newest version"))
    if values:
        survivors.append(Survivor("customFields", values, "", "each by the rank of its contact"))


def _written(field: str, value: Any) -> Any:
    """A value as it is written: without what Genesys works out itself."""
    if value in (None, "", [], {}):
        return None
    if field in PHONE_SLOTS:
        kept = {name: value[name] for name in ("extension", "acceptsSMS") if name in value}
        return {"display": value.get("e164") or value.get("display"), **kept}
    if field == "externalIds":
        return [{"externalSource": {"id": each["externalSource"]["id"]}, "value": each["value"]} for each in value]
    if field == "externalOrganization":
        return {"id": value["id"]}
    if field == "schema":
        return {"id": value["id"], "version": value["version"]}
    if field == "whatsAppId":
        number = value["phoneNumber"]
        shown = (number.get("e164") or number.get("display") or "").removeprefix("+")
        return {**value, "phoneNumber": {"display": shown}}
    return value


def _comparable(value: Any) -> Any:
    if isinstance(value, Mapping):
        if "display" in value:
            return ("phone", value["display"], value.get("extension"))
        return tuple((name, _comparable(value[name])) for name in sorted(value))
    if isinstance(value, list):
        return tuple(_comparable(each) for each in value)
    return value.casefold() if isinstance(value, str) else value
