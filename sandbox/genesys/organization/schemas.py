"""Schemas of contacts' custom fields: versions, compatibility, limits, and validation of values."""

from collections.abc import Callable, Mapping
from typing import Any

from . import errors
from .clock import Clock, iso
from .core_types import CORE_TYPES, core_type_of
from .errors import JSON, ApiError

# "SchemaQuantityLimits": the examples of the API description, which the texts of its errors repeat.
LIMITS = {
    "minFieldNameCharacters": 1,
    "maxFieldNameCharacters": 100,
    "minFieldTitleCharacters": 1,
    "maxFieldTitleCharacters": 100,
    "minFieldDescriptionCharacters": 0,
    "maxFieldDescriptionCharacters": 200,
    "minSchemaNameCharacters": 1,
    "maxSchemaNameCharacters": 50,
    "minSchemaDescriptionCharacters": 0,
    "maxSchemaDescriptionCharacters": 200,
    "maxNumberOfSchemasPerOrg": 20,
    "maxNumberOfFieldsPerSchema": 25,
    "maxNumberOfFieldsPerOrg": 500,
}
URI = "/api/v2/externalcontacts/contacts/schemas"
_KNOWN = ("id", "$schema", "title", "description", "type", "required", "properties", "additionalProperties")


class Schemas:
    def __init__(self, *, clock: Clock, new_id: Callable[[], str], creator: str) -> None:
        self._clock = clock
        self._new_id = new_id
        self._creator = creator
        self._versions: dict[str, list[JSON]] = {}  # by schema id, oldest first

    def all(self) -> list[JSON]:
        return [versions[-1] for versions in self._versions.values()]

    def versions(self, schema_id: str) -> list[JSON]:
        if schema_id not in self._versions:
            raise errors.entity_not_found("Schema", schema_id, "The requested resource was not found.")
        return self._versions[schema_id]

    def version(self, schema_id: str, version: str) -> JSON:
        for schema in self.versions(schema_id):
            if str(schema["version"]) == version:
                return schema
        raise errors.entity_not_found("Schema", f"{schema_id}/{version}", "The requested resource was not found.")

    def create(self, body: object) -> JSON:
        document = _document(body)
        if len(self._versions) >= LIMITS["maxNumberOfSchemasPerOrg"]:
            raise _too_many("number.of.schemas.per.org", "There cannot be more than 20 schemas.")
        self._check_total(adding=len(document["properties"]))
        return self._store(self._new_id(), 1, document, body)

    def update(self, schema_id: str, body: object) -> JSON:
        latest = self.versions(schema_id)[-1]
        document = _document(body)
        if not isinstance(body, dict) or body.get("version") != latest["version"]:
            raise ApiError(
                409,
                "dynamic.schema.version.conflict",
                f"A valid version is required. The current version is {latest['version']}.",
                ("version",),
                entity_id=schema_id,
                entity_name="Schema",
            )
        old = latest["jsonSchema"]["properties"]
        for name, field in old.items():
            if core_type_of(document["properties"].get(name, {})) is not core_type_of(field):
                raise errors.bad_request(
                    "The JSON schema provided for update is incompatible with the previous version. "
                    f"The field {name} may neither be removed nor change its core type.",
                    f"jsonSchema.properties.{name}",
                    code="dynamic.schema.incompatible.json.schema.update",
                )
        self._check_total(adding=len(document["properties"]) - len(old))
        return self._store(schema_id, latest["version"] + 1, document, body)

    def _check_total(self, *, adding: int) -> None:
        if adding + sum(len(schema["jsonSchema"]["properties"]) for schema in self.all()) > 500:
            raise _too_many(
                "number.of.fields.per.org", "The total number of fields defined for all schemas would exceed 500."
            )

    def _store(self, schema_id: str, version: int, document: JSON, body: object) -> JSON:
        given = body if isinstance(body, dict) else {}
        schema: JSON = {
            "id": schema_id,
            "name": given.get("name") or document.get("title") or schema_id,
            "version": version,
            "appliesTo": ["CONTACT"],
            "enabled": given.get("enabled") is not False,
            "createdBy": {"id": self._creator, "selfUri": f"/api/v2/oauth/clients/{self._creator}"},
            "dateCreated": iso(self._clock.now()),
            "jsonSchema": document,
            "selfUri": f"{URI}/{schema_id}",
        }
        self._versions.setdefault(schema_id, []).append(schema)
        return schema

    def latest_version(self, schema_id: str) -> int | None:
        return self._versions[schema_id][-1]["version"] if schema_id in self._versions else None

    def check(self, fields: JSON, *, before: JSON) -> None:
        """Validate a contact's custom fields as a whole. A disabled schema stays on contacts that follow it already."""
        values, reference = fields.get("customFields"), fields.get("schema")
        if values is None and reference is None:
            return
        if reference is None:
            raise errors.custom_fields_failed([("schema", "must name the schema that the custom fields follow")])
        schema = next(
            (v for v in self._versions.get(reference["id"], ()) if v["version"] == reference["version"]), None
        )
        if schema is None:
            raise errors.custom_fields_failed([("schema", "names a schema or version that does not exist")])
        if not self._versions[reference["id"]][-1]["enabled"] and before.get("schema", {}).get("id") != reference["id"]:
            raise errors.custom_fields_failed([("schema", "is disabled")])
        if problems := _problems(values or {}, schema["jsonSchema"]):
            raise errors.custom_fields_failed(problems)


def _problems(values: JSON, document: JSON) -> list[tuple[str, str]]:
    problems = []
    for name, value in values.items():
        field = document["properties"].get(name)
        core = core_type_of(field) if field else None
        if field is None or core is None:
            problems.append((f"customFields.{name[:100]}", "is not a field of the schema"))
        elif not core.valid(value, field):
            problems.append((f"customFields.{name}", f"is not a valid {core.name} for the schema"))
    problems += [
        (f"customFields.{name}", "is required by the schema")
        for name in document.get("required", ())
        if name not in values
    ]
    return problems


def _too_many(what: str, message: str) -> ApiError:
    return errors.bad_request(message, code=f"dynamic.schema.limit.max.{what}.would.be.exceeded")


def _document(body: object) -> JSON:
    """The checked `jsonSchema` of a request."""
    document = body.get("jsonSchema") if isinstance(body, dict) else None
    if not isinstance(document, dict):
        raise errors.bad_request("jsonSchema: may not be null", "jsonSchema", code="constraint.validation")
    document = {name: value for name, value in document.items() if name in _KNOWN and value is not None}
    properties = document.setdefault("properties", {})
    required = document.get("required", [])
    if not isinstance(properties, dict) or not all(isinstance(field, dict) for field in properties.values()):
        raise _invalid("jsonSchema.properties", "must be an object of fields")
    if not isinstance(required, list) or not set(map(str, required)) <= properties.keys():
        raise _invalid("jsonSchema.required", "must list fields of the schema")
    if len(str(document.get("title", ""))) > 50 or len(str(document.get("description", ""))) > 200:
        raise errors.bad_request(
            "The schema title should not exceed 50 characters.  "
            "The schema description should not exceed 200 characters.",
            "jsonSchema",
            code="dynamic.schema.length.limits.would.be.exceeded",
        )
    if len(properties) > LIMITS["maxNumberOfFieldsPerSchema"]:
        raise _too_many("number.of.fields.per.schema", "A schema cannot have more than 25 fields")
    for name, field in properties.items():
        _check_field(name, field)
    return document


def _check_field(name: str, field: JSON) -> None:
    path = f"jsonSchema.properties.{name[:100]}"
    if len(name) > LIMITS["maxFieldNameCharacters"]:
        raise _too_many("number.of.characters.for.field.name", "A field name cannot exceed 100 characters")
    core = core_type_of(field)
    if core is None:
        raise _invalid(path, f"must name one core type with allOf and $ref: {', '.join(CORE_TYPES)}")
    if core.name == "enum":
        choices = field.get("enum")
        if not isinstance(choices, list) or not choices or not all(isinstance(choice, str) for choice in choices):
            raise _limit_missing(f"{path}.enum")
        return
    _check_limits(field, core.limits, path)
    _check_limits(field.get("items", {}), core.item_limits, f"{path}.items")
    for low_name, high_name in (("minLength", "maxLength"), ("minimum", "maximum"), ("minItems", "maxItems")):
        if low_name in core.limits and field[low_name] > field[high_name]:
            raise _limit_error(f"{path}.{low_name}", f"is larger than {high_name}")


def _check_limits(given: object, limits: Mapping[str, tuple[int, int]], path: str) -> None:
    """That what is given for each limit is a number in the range that Genesys allows for it."""
    for limit, (low, high) in limits.items():
        value: Any = given.get(limit) if isinstance(given, dict) else None
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise _limit_missing(f"{path}.{limit}")
        if not low <= value <= high:
            raise _limit_error(f"{path}.{limit}", f"must be from {low} to {high}")


def _invalid(path: str, reason: str) -> ApiError:
    return errors.bad_request(
        f"An invalid JSON schema was provided. {path} {reason}.", path, code="dynamic.schema.invalid.json.schema"
    )


def _limit_missing(path: str) -> ApiError:
    return errors.bad_request(
        f"The schema is missing a validation limit. {path} is needed.",
        path,
        code="dynamic.schema.validation.limit.missing",
    )


def _limit_error(path: str, reason: str) -> ApiError:
    return errors.bad_request(
        f"The schema has a validation limit error. {path} {reason}.", path, code="dynamic.schema.validation.limit.error"
    )
