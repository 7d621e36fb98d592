"""Everything about the emulated organization and its mood that can be chosen at the start or changed while it runs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from pydantic import TypeAdapter, ValidationError

PRODUCTION_LATENCY_MS = (300.0, 800.0)  # what one call to the public API takes from an AWS region of the same continent


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    # The organization.
    client_id: str = "sandbox"
    client_secret: str = "sandbox"
    organization_id: str = "5a6b0d4e-6f0c-4c1b-9d1e-0c0ffee00001"
    organization_name: str = "Sandbox"
    divisions: tuple[str, ...] = ("Home", "Europe")  # the first is the home division
    queues: tuple[str, ...] = ("Standard", "Silver", "Gold", "Platinum", "Enterprise")
    denied_permissions: tuple[str, ...] = ()  # e.g. externalContacts:identity:merge
    token_seconds: int = 86_400  # Genesys' default access token lifetime

    # Speed and limits.
    latency_ms: tuple[float, float] = (0.0, 0.0)  # uniform between the two
    rate_limit: int | None = 300  # requests per token and window; None is unlimited
    rate_window_s: float = 60.0
    rate_limit_shared: bool = False  # by all tokens of one OAuth client; Genesys documents both readings
    error_rate: float = 0.0  # share of calls answered with one of error_statuses
    error_statuses: tuple[int, ...] = (500, 503)
    job_step_s: float = 1.0  # an export, import or privacy request moves on when polled, or after this long
    clock_offset_s: float = 0.0  # added to the real time: cursor, token and contact expiry can be brought about
    clock_speed: float = 1.0  # seconds that pass in a real one; 10 makes a minute's limit one of six seconds

    # Limits whose real value is not published.
    bulk_limit: int = 25  # entities in bulk add, update, remove and fetch
    max_identifiers: int = 100  # identifiers of one contact, checked when contacts are merged by enrich
    max_external_sources: int = 500
    max_active_external_sources: int = 100

    # Bulk results come in any order in production, so they do here.
    shuffle_bulk_results: bool = True
    seed: int | None = None  # fixes ids and the order of bulk results

    # Contact events.
    event_source_suffix: str = "sandbox"
    aws_account: str = "000000000000"
    aws_region: str = "us-east-1"
    event_url: str | None = None  # each event is POSTed there
    event_file: str | None = None  # each event is appended there as one JSON line
    event_buffer: int = 10_000  # events kept for GET /sandbox/events

    def changed(self, values: Mapping[str, object]) -> "Settings":
        known = {field.name for field in fields(self)}
        if unknown := sorted(set(values) - known):
            raise ValueError(f"unknown setting {unknown[0]!r}; known: {', '.join(sorted(known))}")
        try:
            settings = _ADAPTER.validate_python({**asdict(self), **values})
        except ValidationError as error:
            first = error.errors()[0]
            raise ValueError(f"setting {first['loc'][0]!r}: {first['msg']}") from None
        low, high = settings.latency_ms
        if not 0 <= low <= high:
            raise ValueError(f"setting 'latency_ms': {low:g}-{high:g} is not a range of milliseconds")
        if not settings.divisions:
            raise ValueError("setting 'divisions': at least the home division is needed")
        return settings


_ADAPTER = TypeAdapter(Settings)


def latency_range(text: str) -> tuple[float, float]:
    """`300-800` or `50`, in milliseconds."""
    low, _, high = text.partition("-")
    try:
        values = float(low), float(high or low)
    except ValueError:
        raise ValueError(f"latency {text!r} is not a number or a range of milliseconds such as 300-800") from None
    if not 0 <= values[0] <= values[1]:
        raise ValueError(f"latency {text!r} must go from a smaller to a larger number of milliseconds")
    return values


def request_limit(text: str) -> int | None:
    """`300` or `unlimited`, in requests per minute and token."""
    if text == "unlimited":
        return None
    if not text.isdecimal() or int(text) == 0:
        raise ValueError(f"rate limit {text!r} is neither a number of requests per minute nor 'unlimited'")
    return int(text)
