"""Schemas of contacts' custom fields."""

from ...organization import core_types, errors
from ...organization.clock import iso
from ...organization.errors import JSON, ApiError
from ...organization.schemas import LIMITS, URI
from ..calls import Call, Reply


def _listing(entities: list[JSON], uri: str) -> Reply:
    return Reply(200, {"total": len(entities), "entities": entities, "selfUri": uri})


def list_all(call: Call) -> Reply:
    return _listing(call.world.schemas.all(), URI)


def create(call: Call) -> Reply:
    return Reply(200, call.world.schemas.create(call.body))


def get(call: Call) -> Reply:
    return Reply(200, call.world.schemas.versions(call.part("schemaId"))[-1])


def put(call: Call) -> Reply:
    return Reply(200, call.world.schemas.update(call.part("schemaId"), call.body))


def delete(call: Call) -> Reply:
    call.world.schemas.versions(call.part("schemaId"))
    raise ApiError(403, "feature.forbidden", "Delete operation forbidden.")


def list_versions(call: Call) -> Reply:
    schema_id = call.part("schemaId")
    return _listing(call.world.schemas.versions(schema_id), f"{URI}/{schema_id}/versions")


def get_version(call: Call) -> Reply:
    return Reply(200, call.world.schemas.version(call.part("schemaId"), call.part("versionId")))


def list_core_types(call: Call) -> Reply:
    return _listing([_core_type(core, call) for core in core_types.CORE_TYPES.values()], f"{URI}/coretypes")


def get_core_type(call: Call) -> Reply:
    core = core_types.CORE_TYPES.get(call.part("coreTypeName"))
    if core is None:
        raise errors.generic(404)
    return Reply(200, _core_type(core, call))


def _core_type(core: core_types.CoreType, call: Call) -> JSON:
    created = iso(call.world.started)
    return core_types.wire(core, self_uri=f"{URI}/coretypes/{core.name}", created=created)


def get_limits(call: Call) -> Reply:
    return Reply(200, {"id": call.world.organization.id, **LIMITS, "selfUri": f"{URI}/limits"})
