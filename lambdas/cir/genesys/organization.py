"""What is set up once per organization: external sources, custom fields, queues, automatic merging."""

from collections.abc import Iterator, Mapping
from typing import Any

from cir.genesys.connection import Connection
from cir.genesys.errors import ConfigurationError, ConflictError
from cir.genesys.models import ExternalSource, Queue, SchemaReference

_SOURCES = ("externalcontacts", "externalsources")
_SCHEMAS = ("externalcontacts", "contacts", "schemas")
_PAGE = 100
_VERSION_CONFLICTS = 3  # somebody else would have to save the schema at the same moment each time


class Organization:
    """`client.organization`. The `ensure_` methods can be run again at any time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def external_sources(self, *, name_prefix: str | None = None) -> Iterator[ExternalSource]:
        """All external sources, inactive ones too."""
        cursor: str | None = None
        while True:
            body = self._connection.request(
                "organization.external_sources",
                "GET",
                _SOURCES,
                repeatable=True,
                query={"name": name_prefix, "limit": _PAGE, "cursor": cursor},
            ).body
            for source in body.get("entities") or []:
                yield ExternalSource(source["id"], source.get("name") or "", source.get("active", True))
            cursor = (body.get("cursors") or {}).get("after")
            if not cursor:
                return

    def ensure_external_source(self, name: str) -> str:
        """The id of the external source of this name, which is created or activated if need be."""
        source = self._external_source(name)
        if source and source.active:
            return source.id
        if source:
            self._connection.request(
                "organization.activate_external_source",
                "PUT",
                (*_SOURCES, source.id),
                repeatable=True,
                body={"name": source.name, "active": True},
            )
            return source.id
        try:
            created = self._connection.request(
                "organization.create_external_source",
                "POST",
                _SOURCES,
                repeatable=True,  # a second one is refused
                body={"name": name, "active": True},
            )
            return str(created.body["id"])
        except ConflictError as error:
            source = self._external_source(name) if error.code == "external.source.exists" else None
            if source is None:
                raise
            return source.id

    def ensure_schema(self, name: str, fields: Mapping[str, Mapping[str, Any]]) -> SchemaReference:
        """The custom-field schema of this name with at least these fields, for `contact["schema"]`.

        `fields` are JSON-schema properties, for instance
        `{"tier": {"title": "Tier", "allOf": [{"$ref": "#/definitions/text"}], "minLength": 0, "maxLength": 20}}`.
        A field that exists is left as it is; Genesys Cloud never changes the type of one.
        """
        for _ in range(_VERSION_CONFLICTS):
            schema = self._schema(name)
            if schema is None:
                created = self._connection.request(
                    "organization.create_schema",
                    "POST",
                    _SCHEMAS,
                    repeatable=False,
                    body={"name": name, "version": 1, "enabled": True, "jsonSchema": _json_schema(name, fields)},
                )
                return _reference(created.body)
            present = schema["jsonSchema"].get("properties") or {}
            _check_types(name, present, fields)
            if schema.get("enabled", True) and fields.keys() <= present.keys():
                return _reference(schema)
            json_schema = {**schema["jsonSchema"], "properties": {**fields, **present}}
            try:
                updated = self._connection.request(
                    "organization.update_schema",
                    "PUT",
                    (*_SCHEMAS, schema["id"]),
                    repeatable=True,  # the version makes a second one a conflict
                    body={"name": name, "version": schema["version"], "enabled": True, "jsonSchema": json_schema},
                )
                return _reference(updated.body)
            except ConflictError as error:
                conflict = error
        raise conflict

    def queue_named(self, name: str) -> Queue | None:
        """The queue of exactly this name."""
        page, pages = 1, 1
        while page <= pages:
            body = self._connection.request(
                "organization.queue_named",
                "GET",
                ("routing", "queues"),
                repeatable=True,
                query={"name": name, "pageNumber": page, "pageSize": _PAGE},
            ).body
            for queue in body.get("entities") or []:
                if queue.get("name") == name:
                    return Queue(queue["id"], name)
            pages = body.get("pageCount") or 0
            page += 1
        return None

    def automatic_merging(self) -> bool:
        """Whether Genesys Cloud merges by itself what it takes for one person. `cir` then must not."""
        answer = self._connection.request(
            "organization.automatic_merging", "GET", ("externalcontacts", "graphs", "settings"), repeatable=True
        )
        return bool(answer.body.get("automaticMergingEnabled"))

    def _external_source(self, name: str) -> ExternalSource | None:
        # The filter is for prefixes; a name that differs in case only would be refused as a second one.
        sources = self.external_sources(name_prefix=name)
        return next((source for source in sources if source.name.casefold() == name.casefold()), None)

    def _schema(self, name: str) -> dict[str, Any] | None:
        body = self._connection.request("organization.schemas", "GET", _SCHEMAS, repeatable=True).body
        for schema in body.get("entities") or []:
            if name in {schema.get("name"), (schema.get("jsonSchema") or {}).get("title")}:
                return dict(schema)
        return None


def _json_schema(name: str, fields: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {"$schema": "http://json-schema.org/draft-04/schema#", "title": name, "properties": dict(fields)}


def _check_types(
    schema: str, present: Mapping[str, Mapping[str, Any]], wanted: Mapping[str, Mapping[str, Any]]
) -> None:
    for field, definition in wanted.items():
        if field in present and present[field].get("allOf") != definition.get("allOf"):
            raise ConfigurationError(
                f"Custom field {field!r} of schema {schema!r} exists in Genesys Cloud as "
                f"{_core_type(present[field])}, not {_core_type(definition)}, and cannot be changed. "
                "Give the field another name."
            )


def _core_type(definition: Mapping[str, Any]) -> str:
    references = [str(part.get("$ref")) for part in definition.get("allOf") or []]
    return ", ".join(reference.rpartition("/")[2] for reference in references) or "no core type"


def _reference(schema: Mapping[str, Any]) -> SchemaReference:
    return {"id": schema["id"], "version": schema["version"]}
