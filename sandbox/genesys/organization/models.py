"""Request bodies: names, types, lengths and enumerations of the public API description.

Unknown fields and read-only ones are ignored, as Genesys does. A wrong type, a missing field or an unknown enumeration
value is a 400; a value of the right type that breaks a rule (too long, too many, malformed) is a 422.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, PydanticCustomError

from . import errors
from .errors import JSON, ApiError

# pydantic's names of errors about a value's JSON type; all its others are about a rule that a well-typed value breaks.
_JSON_TYPES = {
    "string": "string",
    "int": "integer",
    "bool": "boolean",
    "list": "array",
    "tuple": "array",
    "dict": "object",
    "model": "object",
}
_TYPE_ERROR = re.compile(
    r"(string|int|bool|list|tuple|dict|model)_(sub_)?(type|parsing|from_float|attributes_type)(_size)?"
)

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_URL = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)
_SCREEN_NAME = re.compile(r"@?[A-Za-z0-9_]+")
_DIGITS = re.compile(r"[0-9]{5,15}")


def _matching(pattern: re.Pattern[str], reason: str) -> AfterValidator:
    def check(value: str) -> str:
        if value and not pattern.fullmatch(value):
            raise PydanticCustomError("format", "{reason}", {"reason": reason})
        return value

    return AfterValidator(check)


def _text(maximum: int) -> Any:
    return StringConstraints(strip_whitespace=True, max_length=maximum)


Name = Annotated[str, _text(1000)]
Email = Annotated[str, _text(256), _matching(_EMAIL, "is not a valid e-mail address")]
Url = Annotated[str, _text(1000), _matching(_URL, "is not a valid URL")]
Short = Annotated[str, _text(100)]
Id255 = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]
Required = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

IdentifierType = Literal[
    "SocialLine",
    "SocialFacebook",
    "SocialTwitter",
    "SocialWhatsapp",
    "SocialInstagram",
    "SocialWhatsappBsuid",
    "AppleOpaqueId",
    "Email",
    "Phone",
    "Cookie",
    "ExternalId",
    "SocialInstagramHandle",
]


class Wire(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", coerce_numbers_to_str=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, value: object) -> object:
        if isinstance(value, Mapping):
            return {name: item for name, item in value.items() if item is not None}
        return value

    @classmethod
    def read(cls, body: object, *, invalid: str = "The provided entity was not valid") -> Self:
        """Validate a decoded JSON body; `invalid` begins the message of a 422."""
        if not isinstance(body, Mapping):
            raise errors.bad_request(f"The request body must be a JSON object, not {_kind(body)}.")
        try:
            return cls.model_validate(body)
        except ValidationError as error:
            raise _api_error(error, invalid) from None

    def wire(self) -> JSON:
        """The fields that were given, without nulls and blanks, under their wire names."""
        return _without_blanks(self.model_dump(by_alias=True, exclude_none=True))


class Reference(Wire):
    id: Required


class PhoneNumber(Wire):
    display: Annotated[str, _text(512)] | None = None
    extension: int | None = None
    accepts_sms: StrictBool | None = Field(None, alias="acceptsSMS")
    normalization_country_code: str | None = None


class Address(Wire):
    address1: Annotated[str, _text(200)] | None = None
    address2: Annotated[str, _text(200)] | None = None
    city: Annotated[str, _text(100)] | None = None
    state: Annotated[str, _text(50)] | None = None
    postal_code: Annotated[str, _text(25)] | None = None
    country_code: Annotated[str, _text(25)] | None = None


class TwitterId(Wire):
    id: Annotated[str, _text(255)] | None = None
    name: Annotated[str, _text(255)] | None = None
    screen_name: Annotated[str, _text(255), _matching(_SCREEN_NAME, "must match ^@?[A-Za-z0-9_]+$")] | None = None

    @model_validator(mode="after")
    def _named(self) -> Self:
        if not (self.id or self.screen_name):
            raise PydanticCustomError("format", "{reason}", {"reason": "needs an id or a screenName"})
        return self


class LineUserId(Wire):
    user_id: Id255


class LineId(Wire):
    ids: Annotated[list[LineUserId], Field(min_length=1, max_length=1)]
    display_name: Short | None = None


class ScopedId(Wire):
    scoped_id: Id255


class FacebookId(Wire):
    ids: Annotated[list[ScopedId], Field(min_length=1, max_length=1)]
    display_name: Short | None = None


class InstagramId(Wire):
    ids: Annotated[list[ScopedId], Field(min_length=1, max_length=1)]
    display_name: Short | None = None
    handle: Short | None = None


class WhatsAppNumber(Wire):
    """The description wants "'E164 without a leading plus' phone number"."""

    display: Annotated[str, _text(512), _matching(_DIGITS, "must be E.164 without the leading plus")]
    accepts_sms: StrictBool | None = Field(None, alias="acceptsSMS")


class WhatsAppId(Wire):
    phone_number: WhatsAppNumber
    display_name: Short | None = None


class AppleOpaqueId(Wire):
    value: Id255


class ExternalId(Wire):
    external_source: Reference
    value: Id255


class SchemaReference(Wire):
    id: Required
    version: Annotated[int, Field(ge=1)] | None = None


class Contact(Wire):
    id: str | None = None
    division: Reference | None = None
    first_name: Name | None = None
    middle_name: Name | None = None
    last_name: Name | None = None
    salutation: Name | None = None
    title: Name | None = None
    work_phone: PhoneNumber | None = None
    cell_phone: PhoneNumber | None = None
    home_phone: PhoneNumber | None = None
    other_phone: PhoneNumber | None = None
    work_email: Email | None = None
    personal_email: Email | None = None
    other_email: Email | None = None
    address: Address | None = None
    twitter_id: TwitterId | None = None
    line_id: LineId | None = None
    whats_app_id: WhatsAppId | None = None
    facebook_id: FacebookId | None = None
    instagram_id: InstagramId | None = None
    apple_opaque_ids: Annotated[list[AppleOpaqueId], Field(max_length=10)] | None = None
    external_ids: Annotated[list[ExternalId], Field(max_length=10)] | None = None
    external_organization: Reference | None = None
    survey_opt_out: StrictBool | None = None
    external_system_url: Url | None = None
    schema_: SchemaReference | None = Field(None, alias="schema")
    custom_fields: dict[str, Any] | None = None


CONTACT_FIELDS = frozenset(
    field.alias or name for name, field in Contact.model_fields.items() if name not in {"id", "division"}
)
READ_ONLY_FIELDS = frozenset(
    {
        *("id", "division", "type", "identifiers", "createDate", "modifyDate", "externalDataSources", "selfUri"),
        *("canonicalContact", "mergeSet", "mergedFrom", "mergedTo", "mergeOperation"),
    }
)


class Identifier(Wire):
    type: IdentifierType
    value: Id255
    division: Reference | None = None
    external_source: Reference | None = None


class ClaimRequest(Wire):
    operation: Literal["Claim", "Release"]
    identifier: Identifier


RuleAction = Literal["AlwaysUseProvided", "PreferExisting", "PreferProvided"]
ArrayAction = Literal["Replace", "Extend", "Fill"]


class FieldRule(Wire):
    field: Required
    action: RuleAction | None = None
    array_action: ArrayAction | None = None


class FieldRules(Wire):
    default_action: RuleAction = "PreferProvided"
    default_array_action: ArrayAction = "Fill"
    rules: tuple[FieldRule, ...] = ()


class EnrichOptions(Wire):
    promote: StrictBool = False


class EnrichRequest(Wire):
    id: str | None = None
    division: Reference | None = None
    matching_identifiers: Annotated[list[Identifier], Field(min_length=1, max_length=25)]
    action: Literal["Merge", "Upsert", "Update", "Insert"]
    contact: Contact | None = None
    field_rules: FieldRules = FieldRules()
    options: EnrichOptions = EnrichOptions()


class MergeRequest(Wire):
    contact_ids: Annotated[list[Required], Field(min_length=2, max_length=25)]
    value_override: Contact | None = None


class TwoContactMergeRequest(Wire):
    source_contact_id: Required
    target_contact_id: Required


class PatchChange(Wire):
    field: Required
    action: Literal["UpdateIfEmpty", "UpdateIfExists", "Update", "AppendToCollection", "Remove", "RemoveFromCollection"]
    value: Any = None


class PatchRequest(Wire):
    changes: Annotated[list[PatchChange], Field(min_length=1)]


class SimpleSearch(Wire):
    query: str = ""
    sort_order: tuple[str, ...] = ()
    ids: Annotated[tuple[str, ...], Field(max_length=100)] = ()


class SearchOperation(Wire):
    simple_search: SimpleSearch = SimpleSearch()


class SearchRequest(Wire):
    page_number: Annotated[int, Field(ge=1)] = 1
    page_size: Annotated[int, Field(ge=1)] = 20
    division_ids: Annotated[tuple[str, ...], Field(max_length=50)] = ()
    expand: tuple[str, ...] = ()
    operation: SearchOperation = SearchOperation()


class LinkConfiguration(Wire):
    uri_template: Annotated[str, _text(400), _matching(_URL, "is not a valid URL")]


class ExternalSource(Wire):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    active: StrictBool = True
    link_configuration: LinkConfiguration | None = None


class ConversationAssociation(Wire):
    conversation_id: Required
    communication_id: str = ""
    media_type: Literal[
        "CALL",
        "CALLBACK",
        "CHAT",
        "COBROWSE",
        "EMAIL",
        "MESSAGE",
        "INTERNAL_MESSAGE",
        "SCREEN_MONITORING",
        "SOCIAL_EXPRESSION",
        "VIDEO",
        "SCREENSHARE",
    ]
    external_contact_id: str | None = None


class GraphSettings(Wire):
    automatic_merging_enabled: StrictBool


def _without_blanks(value: JSON) -> JSON:
    kept: JSON = {}
    for name, item in value.items():
        clean = _without_blanks(item) if isinstance(item, dict) and name != "customFields" else item
        if clean not in ("", {}, [], ()):
            kept[name] = clean
    return kept


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _field_name(error: ErrorDetails) -> str:
    return ".".join(str(part) for part in error["loc"])


def _api_error(error: ValidationError, invalid: str) -> ApiError:
    found = error.errors(include_url=False)
    for item in found:
        name = _field_name(item)
        if item["type"] == "missing":
            return errors.bad_request(f"{name}: may not be null", name, code="constraint.validation")
        if item["type"] == "literal_error":
            value = item["input"]
            shown = value if isinstance(value, str) else _kind(value)
            return errors.invalid_value(name, shown, "enum", str(item["ctx"]["expected"]).replace("'", ""))
        if wrong := _TYPE_ERROR.fullmatch(item["type"]):
            expected = _JSON_TYPES[wrong[1]]
            return errors.invalid_value(name, _kind(item["input"]), expected, expected)
    return errors.validation_failed(invalid, ((_field_name(item), _reason(item)) for item in found))


def _reason(item: ErrorDetails) -> str:
    if item["type"] == "format":
        return str(item["ctx"]["reason"])
    return re.sub(r"^\w+ should", "should", item["msg"]).removesuffix(" after validation")
