"""Checks JSON answers against the models of the official SDK, which are generated from Genesys' own API description.

The SDK reads leniently: it ignores unknown fields and turns unknown enumeration values into a placeholder. So the raw
JSON is compared with the models' own tables: names, types, enumerations, and the fields that the description
requires.
"""

import ast
import inspect
import json
import re
from datetime import datetime
from functools import cache
from typing import Any

# Fields that the API description lists as required in the models that come back.
REQUIRED: dict[str, tuple[str, ...]] = {
    "ContactEnrichRequest": ("action", "matchingIdentifiers"),
    "ContactIdentifier": ("type", "value"),
    "ContactImportField": ("name", "included"),
    "ContactImportJobResponse": ("settings",),
    "ContactImportSettings": ("name", "mergeContacts", "externalSourceId", "importFields"),
    "ContactsExportFieldFilter": ("field", "value"),
    "ContactsExportFieldListFilter": ("field", "values"),
    "ContactsExportComparisonFieldFilter": ("field", "value"),
    "CsvJobResponse": ("job",),
    "CsvMappingEntry": ("sourceField", "targetField"),
    "CsvSettings": ("mappings",),
    "CsvUploadDetailsResponse": ("uploadId", "validationResult"),
    "CsvUploadPreviewResponse": ("uploadId", "headers", "entries"),
    "CsvUploadResponse": ("uploadId", "uploadUrl", "uploadHeaders"),
    "DataSchema": ("version", "jsonSchema"),
    "ExternalId": ("externalSource", "value"),
    "ExternalSource": ("name",),
    "FacebookId": ("ids",),
    "FacebookScopedId": ("scopedId",),
    "GDPRRequest": ("createdBy", "requestType", "createdDate", "status", "subject"),
    "InstagramId": ("ids",),
    "InstagramScopedId": ("scopedId",),
    "ItemValidationLimits": ("minLength", "maxLength"),
    "LineId": ("ids",),
    "LineUserId": ("userId",),
    "LinkConfiguration": ("uriTemplate",),
    "MaxLength": ("min", "max"),
    "MinLength": ("min", "max"),
    "OrgOAuthClient": ("name", "authorizedGrantType"),
    "Organization": ("version",),
    "Queue": ("name",),
    "ValidationError": ("lineNumber", "message"),
    "ValidationResult": ("separatorValid", "fileEncodingValid", "errors"),
    "WhatsAppId": ("phoneNumber",),
}
# Where a full model stands for a reference, only the id is promised.
REFERENCES = {
    ("ExternalContact", "schema"),
    ("ExternalContact", "externalOrganization"),
    ("ExternalId", "externalSource"),
    ("ContactIdentifier", "externalSource"),
}
_SCALARS = {"str": str, "bool": bool, "object": object}


def check_json(text: str, kind: str) -> None:
    problems = violations(json.loads(text), kind)
    assert not problems, "\n".join(problems)


def violations(value: Any, kind: str, path: str = "$", *, reference: bool = False) -> list[str]:
    """Where a value differs from an SDK type such as `list[ExternalContact]`, `datetime` or `str`."""
    if nested := re.fullmatch(r"list\[(.*)\]", kind):
        if not isinstance(value, list):
            return [f"{path} should be an array, is {type(value).__name__}"]
        return [p for index, item in enumerate(value) for p in violations(item, nested[1], f"{path}[{index}]")]
    if nested := re.fullmatch(r"dict\(str, (.*)\)", kind):
        if not isinstance(value, dict):
            return [f"{path} should be an object, is {type(value).__name__}"]
        return [p for name, item in value.items() for p in violations(item, nested[1], f"{path}.{name}")]
    if kind in _SCALARS:
        return [] if isinstance(value, _SCALARS[kind]) else [f"{path} should be {kind}, is {type(value).__name__}"]
    if kind in {"int", "float"}:
        wanted = int if kind == "int" else (int, float)
        right = isinstance(value, wanted) and not isinstance(value, bool)
        return [] if right else [f"{path} should be {kind}, is {type(value).__name__}"]
    if kind == "datetime":
        return [] if _is_utc(value) else [f"{path} is not an ISO-8601 date in UTC"]
    return _model_violations(value, kind, path, reference=reference)


def _model_violations(value: Any, kind: str, path: str, *, reference: bool) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path} should be a {kind}, is {type(value).__name__}"]
    types, enumerations = _model(kind)
    problems = [f"{path}.{name} is not a field of {kind}" for name in value if name not in types]
    required = ("id",) if reference else REQUIRED.get(kind, ())
    problems += [f"{path}.{name} of {kind} is missing" for name in required if name not in value]
    for name, item in value.items():
        if name not in types:
            continue
        problems += violations(item, types[name], f"{path}.{name}", reference=(kind, name) in REFERENCES)
        if name in enumerations and item not in enumerations[name]:
            problems.append(f"{path}.{name} is not one of {enumerations[name]}")
    return problems


@cache
def _model(kind: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The SDK's table of a model by wire names: types, and allowed values where they are enumerated."""
    import PureCloudPlatformClientV2 as Sdk

    model = getattr(Sdk, kind)
    wire_names = model().attribute_map
    types = {wire_names[attribute]: swagger for attribute, swagger in model().swagger_types.items()}
    enumerations = {}
    for attribute, wire in wire_names.items():
        source = inspect.getsource(getattr(model, attribute).fset)
        if allowed := re.search(r"allowed_values = (\[.*?\])", source, re.DOTALL):
            enumerations[wire] = ast.literal_eval(allowed[1])
    return types, enumerations


def _is_utc(value: Any) -> bool:
    if not isinstance(value, str) or not value.endswith("Z"):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
