"""The environment variables that functions and commands read. docs/environment.md is made of them.

AWS' own (AWS_REGION, credentials, endpoints) are not among them: Lambda or the shell sets them, and AWS documents them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable."""

    name: str
    meaning: str
    default: str | None = None
    """What counts where it is not set; None: it must be, by whoever has no other way. Empty: nothing."""


CIR_ENVIRONMENT = Variable(
    "CIR_ENVIRONMENT", "The environment, for instance `dev`: part of all names in AWS, and a dimension of all metrics."
)
IDENTIFIERS_TABLE = Variable("IDENTIFIERS_TABLE", "Name of the table of identifiers.")
CONTACTS_TABLE = Variable("CONTACTS_TABLE", "Name of the table of contacts.")
LEDGER_TABLE = Variable("LEDGER_TABLE", "Name of the ledger.")
TABLES = (IDENTIFIERS_TABLE, CONTACTS_TABLE, LEDGER_TABLE)
STATE_TABLE = Variable(
    "STATE_TABLE",
    "Name of the table of work under way. Without it the budget of requests to Genesys Cloud is shared with nobody.",
    default="",
)
DATA_BUCKET = Variable("DATA_BUCKET", "Name of the bucket with the files of imports and reconciliations.")

DEFAULT_REGION = Variable(
    "DEFAULT_REGION", "Country (ISO 3166 alpha-2) as which national phone numbers are read.", "US"
)
DEFAULT_QUEUE_ID = Variable(
    "DEFAULT_QUEUE_ID", "Genesys queue for whoever is not recognised, or has no queue of their own."
)
DEFAULT_DISPLAY_NAME = Variable(
    "DEFAULT_DISPLAY_NAME", "What the answer says for the name where none is known.", "Valued Customer"
)
DEFAULT_FIRST_NAME = Variable("DEFAULT_FIRST_NAME", "The same for the first name.", "")
DEFAULT_TIER = Variable("DEFAULT_TIER", "The same for the customer's tier.", "Standard")
DEFAULT_STATUS = Variable("DEFAULT_STATUS", "The same for the status of the account.", "Unknown")
DEFAULT_LANGUAGE = Variable("DEFAULT_LANGUAGE", "The same for the preferred language.", "en-US")
POLICY = Variable(
    "POLICY", "Which file of `lambdas/cir/resolve/policies/` says what is told at which assurance.", "default"
)
CARRIER_VERIFIES_IDENTITY = Variable(
    "CARRIER_VERIFIES_IDENTITY",
    "`true`: the carrier or session border controller checks signed identities of calls and strips foreign ones.",
    "false",
)
CARRIER_BARE_PASS_IS_FULL = Variable(
    "CARRIER_BARE_PASS_IS_FULL",
    "`true`: it says that a number has passed, without a level, only of those with the highest.",
    "false",
)
CARRIER = (CARRIER_VERIFIES_IDENTITY, CARRIER_BARE_PASS_IS_FULL)
RESOLVER_BUDGET_MS = Variable(
    "RESOLVER_BUDGET_MS", "Milliseconds within which the resolver answers, whatever happens.", "180"
)
GENESYS_FALLBACK = Variable(
    "GENESYS_FALLBACK",
    "`async`: who is not in the index is looked up behind the answer; `sync`: the answer waits for it in its budget.",
    "async",
)
BACKFILL_FUNCTION = Variable("BACKFILL_FUNCTION", "The function that is asked then, where it is `sync`.")
CACHE_URL = Variable("CACHE_URL", "Address of the cache: `rediss://host:port`, or `redis://` without TLS.")
CACHE_HASH_KEY = Variable("CACHE_HASH_KEY", "Key of the hash in cache keys, in hexadecimal. A secret.")
CACHE_USER = Variable("CACHE_USER", "ElastiCache user who signs in by IAM; without it nobody signs in.", "")
CACHE_NAME = Variable("CACHE_NAME", "Name of the cache in ElastiCache, of which the signature is.", "")
CACHE_SERVERLESS = Variable("CACHE_SERVERLESS", "Whether it is a serverless one: `true` or `false`.", "true")

GENESYS_HOST = Variable(
    "GENESYS_HOST", "Genesys Cloud's address in its region, as it follows `apps.`, for instance `mypurecloud.ie`."
)
GENESYS_SECRET_ARN = Variable(
    "GENESYS_SECRET_ARN", "Secret with `client_id` and `client_secret` of the OAuth client at Genesys Cloud."
)
GENESYS_URL = Variable("GENESYS_URL", "In the place of GENESYS_HOST: address of an emulator, for API and login.", "")
GENESYS_CLIENT_ID = Variable("GENESYS_CLIENT_ID", "With GENESYS_CLIENT_SECRET in the place of GENESYS_SECRET_ARN.", "")
GENESYS_CLIENT_SECRET = Variable("GENESYS_CLIENT_SECRET", "A secret.", "")
GENESYS = (GENESYS_HOST, GENESYS_SECRET_ARN, GENESYS_URL, GENESYS_CLIENT_ID, GENESYS_CLIENT_SECRET)

CRM_MAPPING = Variable(
    "CRM_MAPPING", "Which file of `lambdas/cir/crm/mappings/` says what feeds what, without `.json`.", "salesforce"
)
CRM_URL = Variable("CRM_URL", "Address of the CRM, for instance `https://example.my.salesforce.com`.")
CRM_SECRET_ARN = Variable(
    "CRM_SECRET_ARN", "Secret with `client_id` and `client_secret` of the OAuth client at the CRM."
)
CRM_TENANT_ID = Variable(
    "CRM_TENANT_ID", "For Dynamics 365, which needs it: the directory (tenant) id of Microsoft Entra ID.", ""
)
CRM_LOGIN_URL = Variable(
    "CRM_LOGIN_URL",
    "For Dynamics 365 in a national cloud: where tokens come from.",
    "https://login.microsoftonline.com",
)
CRM_CLIENT_ID = Variable("CRM_CLIENT_ID", "With CRM_CLIENT_SECRET in the place of CRM_SECRET_ARN.", "")
CRM_CLIENT_SECRET = Variable("CRM_CLIENT_SECRET", "A secret.", "")
CRM_FILE = Variable("CRM_FILE", "Where the mapping's connector is `file`: the export to read.", "")
CRM = (CRM_URL, CRM_SECRET_ARN, CRM_TENANT_ID, CRM_LOGIN_URL, CRM_CLIENT_ID, CRM_CLIENT_SECRET, CRM_FILE)

CHANGES_QUEUE_URL = Variable("CHANGES_QUEUE_URL", "Queue of what the CRM says has changed.")
UNDELIVERED_QUEUE_URL = Variable("UNDELIVERED_QUEUE_URL", "Queue of the changes that are set aside.")
WEBHOOK_SECRET_ARN = Variable("WEBHOOK_SECRET_ARN", "Secret with the keys by which the CRM calls.")

IMPORT_STATE_MACHINE = Variable(
    "IMPORT_STATE_MACHINE",
    "Workflow of `cir import --remote`: the output `ImportStateMachine` of `cir-<env>-sync`.",
    "",
)
EVENT_SOURCE_MAPPING = Variable(
    "EVENT_SOURCE_MAPPING",
    "What hands Genesys' events on, and is paused by `cir import --via csv`: output `EventSourceMapping` of "
    "`cir-<env>-sync`. Without it nothing is paused.",
    "",
)
XDG_STATE_HOME = Variable("XDG_STATE_HOME", "Where the state of runs on this machine is kept.", "~/.local/state")

VARIABLES: tuple[Variable, ...] = tuple(each for each in globals().values() if isinstance(each, Variable))
"""All of them."""
