"""Where the CRM is and what it is opened with, from the environment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from cir.aws.secrets import Secret, SecretError
from cir.crm.connectors.errors import CrmError
from cir.http.oauth import Credentials

MICROSOFT_LOGIN = "https://login.microsoftonline.com"


@dataclass(frozen=True, slots=True)
class Access:
    """What a connector is opened with."""

    url: str
    login_url: str
    """Where tokens come from: the CRM itself, but for Dynamics 365 the tenant at Microsoft Entra ID."""
    credentials: Callable[[], Credentials]


def from_environment(environment: Mapping[str, str], *, needs_tenant: bool = False) -> Access:
    """Raises CrmError naming what is missing."""
    url = _address(environment, "CRM_URL")
    login_url = url
    if needs_tenant:
        tenant = environment.get("CRM_TENANT_ID", "")
        if not tenant:
            raise CrmError("CRM_TENANT_ID is not set: the directory (tenant) id of Microsoft Entra ID")
        host = _address(environment, "CRM_LOGIN_URL") if "CRM_LOGIN_URL" in environment else MICROSOFT_LOGIN
        login_url = f"{host}/{tenant}"
    return Access(url=url, login_url=login_url, credentials=_credentials(environment))


def _address(environment: Mapping[str, str], name: str) -> str:
    url = environment.get(name, "").rstrip("/")
    parts = urlsplit(url)
    # The secret and everybody's data travel there.
    local = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"}
    if not parts.hostname or not (parts.scheme == "https" or local):
        raise CrmError(
            f"{name} is {url!r}: set it to the address of the CRM, such as https://example.my.salesforce.com"
        )
    return url


def _credentials(environment: Mapping[str, str]) -> Callable[[], Credentials]:
    if arn := environment.get("CRM_SECRET_ARN"):
        secret = Secret("CRM_SECRET_ARN", arn)
        return lambda: _read(secret)
    client_id, client_secret = environment.get("CRM_CLIENT_ID"), environment.get("CRM_CLIENT_SECRET")
    if client_id and client_secret:
        return lambda: Credentials(client_id, client_secret)
    raise CrmError(
        "No credential for the CRM is configured. Set CRM_SECRET_ARN to a secret with client_id and client_secret, or "
        "set CRM_CLIENT_ID and CRM_CLIENT_SECRET."
    )


def _read(secret: Secret) -> Credentials:
    try:
        return Credentials(*secret.oauth_client())
    except SecretError as error:
        raise CrmError(str(error)) from error
