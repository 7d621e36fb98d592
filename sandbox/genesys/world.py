"""One emulated organization with everything in it. A reset makes a new one; the log of events outlives it."""

import uuid
from random import Random

from .jobs.exports import Exports
from .jobs.files import Files
from .jobs.gdpr import PrivacyRequests
from .jobs.graphs import Graphs
from .jobs.import_jobs import ImportJob
from .jobs.imports import Imports
from .jobs.jobs import Jobs, Pace
from .organization.auth import Tokens
from .organization.clock import Clock
from .organization.contacts import ContactStore, Record
from .organization.events import EventLog
from .organization.faults import Faults
from .organization.organization import Organization
from .organization.schemas import Schemas
from .organization.service import Service
from .organization.settings import Settings
from .organization.sources import ExternalSources


class World:
    def __init__(self, settings: Settings, *, events: EventLog) -> None:
        self.settings = settings
        self.clock = Clock(settings.clock_offset_s, settings.clock_speed)
        self.started = self.clock.now()
        self.random = Random(settings.seed)
        self.organization = Organization(settings)
        self.tokens = Tokens(clock=self.clock)
        self.faults = Faults(self.random)
        self.events = events
        self.jobs = Jobs()
        self.files = Files(new_id=self.new_id)
        self.contacts = ContactStore(clock=self.clock, new_id=self.new_id, changed=self._contact_changed)
        self.sources = ExternalSources(
            new_id=self.new_id,
            maximum=settings.max_external_sources,
            maximum_active=settings.max_active_external_sources,
        )
        self.schemas = Schemas(clock=self.clock, new_id=self.new_id, creator=settings.client_id)
        self.service = Service(
            contacts=self.contacts, sources=self.sources, schemas=self.schemas, organization=self.organization
        )
        self.exports = Exports()
        self.imports = Imports()
        self.import_jobs: dict[str, ImportJob] = {}
        self.privacy = PrivacyRequests()
        self.graphs = Graphs()
        self.conversations: dict[str, dict[str, str | None]] = {}  # id -> communication, media type, contact
        self.stats: dict[str, dict[str, int]] = {}  # operation -> status -> calls

    def new_id(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def pace(self) -> Pace:
        return Pace(step_s=self.settings.job_step_s)

    def configure(self, settings: Settings) -> None:
        self.settings = settings
        self.organization.configure(settings)
        self.sources.maximum = settings.max_external_sources
        self.sources.maximum_active = settings.max_active_external_sources
        self.events.configure(settings)
        self.clock.offset = settings.clock_offset_s
        self.clock.speed = settings.clock_speed
        self.contacts.expire()

    def count(self, operation: str, status: int) -> None:
        by_status = self.stats.setdefault(operation, {})
        by_status[str(status)] = by_status.get(str(status), 0) + 1

    def _contact_changed(self, record: Record) -> None:
        head = self.contacts.head(record) if self.contacts.stored(record.id) else record
        self.events.publish(record, head, now=self.clock.now())
