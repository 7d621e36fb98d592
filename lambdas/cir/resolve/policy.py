"""What an environment tells about a customer at which level of assurance, and when it wants more: its policy file."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cir.identity.records import Profile
from cir.identity.rules import Assurance
from cir.identity.spelling import did_you_mean, unknown_in

SHIPPED = Path(__file__).parent / "policies"
FIELDS = {
    "displayName": "display_name",
    "firstName": "first_name",
    "customerTier": "customer_tier",
    "accountStatus": "account_status",
    "preferredLanguage": "preferred_language",
    "assignedQueueId": "assigned_queue_id",
}
"""Field of the answer → what of the profile it shows."""

_TOP = ("version", "fields", "verification")
_VERIFICATION = ("below", "profiles")


class PolicyError(Exception):
    """The policy file cannot be used. The message is one sentence for whoever wrote it."""


@dataclass(frozen=True, slots=True)
class Demand:
    """A level that profiles of a kind ask for."""

    values: Mapping[str, frozenset[str]]
    """Field of the answer → values, casefolded; a profile is of this kind when all of them match."""
    below: Assurance

    def applies_to(self, profile: Profile) -> bool:
        return all(getattr(profile, FIELDS[field]).casefold() in wanted for field, wanted in self.values.items())


@dataclass(frozen=True, slots=True)
class Policy:
    """Of one environment."""

    version: str
    shown_from: Mapping[str, Assurance]
    """Field of the answer → the level from which on it is told."""
    verification_below: Assurance
    """Whoever is known at a lower level has yet to prove who they are."""
    demands: tuple[Demand, ...] = ()
    """Higher or lower levels for some profiles; of several that apply the highest counts."""

    def withholds(self, assurance: Assurance) -> frozenset[str]:
        """The fields that are not told at this level."""
        return frozenset(field for field, level in self.shown_from.items() if assurance < level)

    def wants_verification(self, profile: Profile, assurance: Assurance) -> bool:
        """Whether a customer with this profile has yet to prove who they are."""
        asked = [each.below for each in self.demands if each.applies_to(profile)]
        return assurance < max(asked, default=self.verification_below)


def load_policy(name: str = "default") -> Policy:
    """The policy that this release ships under a name. Raises PolicyError."""
    path = SHIPPED / f"{name}.json"
    if not path.is_file():
        names = sorted(each.stem for each in SHIPPED.glob("*.json"))
        raise PolicyError(f"There is no policy {name!r}; there are: {', '.join(names)}{did_you_mean(name, names)}")
    return read_policy(path.read_text(encoding="utf-8"), name=path.name)


def read_policy(text: str, *, name: str) -> Policy:
    """A policy file; `name` is what errors call it. Raises PolicyError naming the entry that is wrong."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise PolicyError(f"{name} is not JSON: {error}.") from None
    policy = _entries(data, _TOP, name)
    fields = _entries(policy.get("fields", {}), FIELDS, f"{name}: fields")
    verification = _entries(policy.get("verification", {}), _VERIFICATION, f"{name}: verification")
    return Policy(
        version=str(policy.get("version", "")),
        shown_from={field: _level(fields.get(field, "none"), f"{name}: fields.{field}") for field in FIELDS},
        verification_below=_level(verification.get("below", "attested"), f"{name}: verification.below"),
        demands=tuple(_demands(verification.get("profiles", []), f"{name}: verification.profiles")),
    )


def _demands(profiles: object, where: str) -> Iterable[Demand]:
    if not isinstance(profiles, list):
        raise PolicyError(f"{where} must be a list.")
    for number, each in enumerate(profiles, start=1):
        here = f"{where}, entry {number}"
        entries = _entries(each, ("below", *FIELDS), here)
        values = {
            field: frozenset(_texts(wanted, f"{here}, {field}"))
            for field, wanted in entries.items()
            if field != "below"
        }
        if not values or "below" not in entries:
            raise PolicyError(f"{here} needs `below` and at least one field of the answer with its values.")
        yield Demand(values, _level(entries["below"], f"{here}, below"))


def _texts(wanted: object, where: str) -> Iterable[str]:
    if not isinstance(wanted, list) or not all(isinstance(each, str) for each in wanted):
        raise PolicyError(f"{where} must be a list of texts.")
    return (each.casefold() for each in wanted)


def _level(text: object, where: str) -> Assurance:
    names = {each.label: each for each in Assurance}
    if not isinstance(text, str) or text not in names:
        raise PolicyError(f"{where} is {text!r}, not one of {', '.join(names)}{did_you_mean(text, names)}")
    return names[text]


def _entries(data: object, known: Collection[str], where: str) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise PolicyError(f"{where} must be an object.")
    unknown = unknown_in(data, known)
    if unknown:
        raise PolicyError(f"{where} has {unknown}")
    return data
