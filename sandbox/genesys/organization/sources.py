"""External sources: the systems whose ids contacts carry."""

from collections.abc import Callable, Iterable

from . import errors, models
from .errors import JSON, ApiError, validation_failed

URI = "/api/v2/externalcontacts/externalsources"
_NOT_FOUND = "External source not found by external source ID."


class ExternalSources:
    def __init__(self, *, new_id: Callable[[], str], maximum: int, maximum_active: int) -> None:
        self._new_id = new_id
        self.maximum = maximum
        self.maximum_active = maximum_active
        self._sources: dict[str, JSON] = {}

    def all(self) -> list[JSON]:
        return list(self._sources.values())

    def find(self, source_id: str) -> JSON | None:
        return self._sources.get(source_id)

    def get(self, source_id: str) -> JSON:
        if source := self._sources.get(source_id):
            return source
        raise errors.entity_not_found("ExternalSource", source_id, _NOT_FOUND)

    def create(self, body: object) -> JSON:
        given = models.ExternalSource.read(body, invalid="Provided External source was not valid")
        if len(self._sources) >= self.maximum:
            message = "The number of total External Sources in org limit reached"
            raise ApiError(409, "max.external.source.limit.reached", message)
        return self._store(self._new_id(), given)

    def update(self, source_id: str, body: object) -> JSON:
        self.get(source_id)
        given = models.ExternalSource.read(body, invalid="The provided external source data was not valid.")
        return self._store(source_id, given)

    def delete(self, source_id: str) -> None:
        """Contacts keep their ids of a deleted source; only its name can no longer be shown."""
        self.get(source_id)
        del self._sources[source_id]

    def check(self, fields: JSON, *, before: JSON) -> None:
        """External ids that a contact did not have yet need a source that exists and is active."""
        old = before.get("externalIds", [])
        new = [entry["externalSource"]["id"] for entry in fields.get("externalIds", ()) if entry not in old]
        problems = []
        for source_id in dict.fromkeys(new):
            source = self._sources.get(source_id)
            if source is None:
                problems.append(("externalIds.externalSource.id", "names an external source that does not exist"))
            elif not source["active"]:
                problems.append(("externalIds.externalSource.id", "names an external source that is not active"))
        if problems:
            raise validation_failed("The provided contact was not valid", problems)

    def _store(self, source_id: str, given: models.ExternalSource) -> JSON:
        others = [source for source in self._sources.values() if source["id"] != source_id]
        self._check_unique(given, others)
        if given.active and sum(source["active"] for source in others) >= self.maximum_active:
            message = "The number of active External Sources in org limit reached"
            raise ApiError(409, "active.external.source.limit.reached", message)
        source = {"id": source_id, **given.wire(), "active": given.active, "selfUri": f"{URI}/{source_id}"}
        self._sources[source_id] = source
        return source

    @staticmethod
    def _check_unique(given: models.ExternalSource, others: Iterable[JSON]) -> None:
        if any(other["name"].lower() == given.name.lower() for other in others):
            message = "External Source with that name already exists"
            raise ApiError(409, "external.source.exists", message, ("name",))
