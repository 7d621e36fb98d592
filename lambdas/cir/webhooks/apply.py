"""What a CRM has changed is brought to Genesys and the index: fetched as it is now, whatever the webhook said."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cir.aws.dynamodb import DynamoDBError
from cir.crm.connector import CrmRow, Fetch
from cir.crm.mapping import CrmMapping
from cir.crm.record import CrmRecord, Problem, read_record
from cir.genesys.errors import GenesysError
from cir.identity.identifiers import Identifier
from cir.identity.parsing import parse
from cir.identity.rules import IdentifierType
from cir.index.again import OutdatedError
from cir.sync.customers import Change as Became
from cir.sync.customers import Loader, Synced
from cir.sync.deletion import Fate
from cir.webhooks.change import Change


class Deleter(Protocol):
    """Follows the deletion of a record; `cir.sync.deletion.Deletion` is one."""

    def follow(self, record_id: Identifier, /) -> tuple[Fate, str]: ...


class Failure(StrEnum):
    """Why a change was not applied."""

    POISON = "poison"
    """It never can be as it is."""
    REFUSED = "refused"
    """Somebody must mend something, or it was only in the way of somebody else."""
    OUTAGE = "outage"
    """A service did not answer."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a change."""

    became: str = ""
    contact_id: str = ""
    failure: Failure | None = None
    reason: str = ""
    """Free of personal data."""


@dataclass(frozen=True, slots=True)
class Applier:
    """Applies changes of one CRM. Late, doubled and reordered ones do no harm: the CRM is asked for the present."""

    fetch: Fetch
    sync: Loader
    deletion: Deleter
    mapping: CrmMapping
    default_region: str

    def apply(self, changes: Sequence[Change], *, doubted: Collection[Change] = ()) -> dict[Change, Applied]:
        """Apply changes of up to ten records. Raises nothing that a queue could not have handed back.

        Of those that are `doubted` the CRM must show what it has said, deleted or there: otherwise it may not have
        committed yet, and the change is refused. Of others what it shows is taken as it is.
        """
        ids: dict[Change, Identifier] = {}
        done: dict[Change, Applied] = {}
        for change in changes:
            identity = parse(IdentifierType.EXTERNAL, change.id, source=change.source, is_record_key=True)
            if change.source != self.mapping.source:
                done[change] = _poison(f"the mapping is of {self.mapping.source}, not of its source")
            elif isinstance(identity, Identifier):
                ids[change] = identity
            else:
                done[change] = _poison("its id is not one that the CRM issues")
        # the last change of each record
        last = {identity: change for change, identity in ids.items()}
        said = {identity: change.deleted for identity, change in last.items() if change in doubted}
        applied = self._apply(tuple(last), said)
        return done | {change: applied[identity] for change, identity in ids.items()}

    def _apply(self, ids: Sequence[Identifier], said: Mapping[Identifier, bool]) -> dict[Identifier, Applied]:
        if not ids:
            return {}
        try:
            rows = self._rows(ids)
        except Exception as error:
            # Whatever a connector raises, it is not about one record. Its text could quote one.
            return dict.fromkeys(ids, Applied(failure=Failure.OUTAGE, reason=f"fetching: {type(error).__name__}"))
        done: dict[Identifier, Applied] = {}
        records: list[CrmRecord] = []
        for each in ids:
            row = rows.get(each)
            deleted = row is None or row.deleted
            if said.get(each, deleted) != deleted:
                shown = "does not show it" if deleted else "still shows it"
                done[each] = Applied(failure=Failure.REFUSED, reason=f"the CRM {shown}, unlike what it has said")
            elif row is None or row.deleted:
                done[each] = self._delete(each)
            else:
                values = {**row.values, self.mapping.id_column: row.id}
                record = read_record(values, self.mapping, default_region=self.default_region)
                if isinstance(record, CrmRecord):
                    records.append(record)
                else:
                    done[each] = _poison(_reason([record]))
        return done | self._load(records)

    def _rows(self, ids: Sequence[Identifier]) -> dict[Identifier, CrmRow]:
        rows: dict[Identifier, CrmRow] = {}
        for row in self.fetch([each.value for each in ids]):
            identity = parse(IdentifierType.EXTERNAL, row.id, source=self.mapping.source, is_record_key=True)
            if isinstance(identity, Identifier):
                rows[identity] = row
        return rows

    def _delete(self, record_id: Identifier) -> Applied:
        try:
            fate, contact_id = self.deletion.follow(record_id)
        except (GenesysError, DynamoDBError, OutdatedError) as error:
            return _from_error(error)
        return Applied(fate, contact_id)

    def _load(self, records: Sequence[CrmRecord]) -> dict[Identifier, Applied]:
        if not records:
            return {}
        try:
            synced = self.sync.records(records)
        except (GenesysError, DynamoDBError, OutdatedError) as error:
            return dict.fromkeys((record.id for record in records), _from_error(error))
        return {each.record.id: _from_synced(each) for each in synced}


def _from_synced(synced: Synced) -> Applied:
    if synced.change is Became.REFUSED:
        return Applied(failure=Failure.REFUSED, reason=_reason(synced.problems))
    return Applied(synced.change, synced.contact_id)


def _from_error(error: Exception) -> Applied:
    facts = [type(error).__name__, *(str(getattr(error, name, "") or "") for name in ("operation", "status", "code"))]
    return Applied(failure=Failure.OUTAGE, reason=" ".join(filter(None, facts)))


def _poison(reason: str) -> Applied:
    return Applied(failure=Failure.POISON, reason=reason)


def _reason(problems: Sequence[Problem]) -> str:
    """The first: it is why. Without the value, masked as it is."""
    return f"{problems[0].column}: {problems[0].reason}" if problems else "refused"
