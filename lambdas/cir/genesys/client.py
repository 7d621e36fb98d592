"""The client of Genesys Cloud's public API: what the engine needs of it, and no more.

    client = GenesysClient.from_environment()
    contact = client.contacts.find({"type": "Phone", "value": "+442079460000"})
    client.within(2.0).contacts.claim(contact["id"], {"type": "Email", "value": "ann@example.com"})

One client serves all threads of a process. The official SDK is no alternative in a Lambda: 172 MB, 1.5 s to import.
"""

import os
from collections.abc import Callable, Mapping
from typing import Self

from cir.aws.secrets import Secret, SecretError
from cir.genesys.connection import Connection, host_of
from cir.genesys.contacts import Contacts
from cir.genesys.errors import ConfigurationError
from cir.genesys.exports import Exports
from cir.genesys.imports import Imports
from cir.genesys.organization import Organization
from cir.genesys.pacing import RateLimit
from cir.genesys.transport import Transport
from cir.http.oauth import Credentials


class GenesysClient:
    """Operations by subject: `contacts`, `organization`, `exports`, `imports`.

    Every failure is a `cir.genesys.errors.GenesysError`.
    """

    def __init__(
        self,
        *,
        api_url: str,
        login_url: str | None = None,
        credentials: Credentials | Callable[[], Credentials],
        transport: Transport | None = None,
    ) -> None:
        """Without `login_url` it is worked out from `api_url`. `transport` paces, observes and repeats the requests."""
        self._open(
            Connection(
                api_url=api_url,
                login_url=login_url or api_url.replace("//api.", "//login.", 1),
                credentials=credentials,
                transport=transport or Transport(),
            )
        )

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str] = os.environ, *, transport: Transport | None = None
    ) -> Self:
        """A client for the organization that the environment variables name.

        GENESYS_HOST, or GENESYS_URL for API and login at one address; GENESYS_SECRET_ARN, or GENESYS_CLIENT_ID and
        GENESYS_CLIENT_SECRET. The secret is read at the first call, and again whenever a new token is needed.
        """
        url = environment.get("GENESYS_URL")
        if not url:
            if not environment.get("GENESYS_HOST"):
                raise ConfigurationError(
                    "No Genesys Cloud organization is configured. Set GENESYS_HOST to the domain of its region, "
                    "for instance mypurecloud.ie, or GENESYS_URL to the address of an emulator."
                )
            url = f"https://api.{host_of(environment['GENESYS_HOST'])}"
        return cls(api_url=url, credentials=_credentials(environment), transport=transport)

    def within(self, seconds: float) -> "GenesysClient":
        """A view of this client whose calls, with all their repetitions, end so many seconds from now."""
        view = object.__new__(GenesysClient)
        view._open(self._connection.within(seconds))
        return view

    @property
    def rate_limit(self) -> RateLimit | None:
        """The state of the token's request limit as the latest answer told it."""
        return self._connection.transport.rate_limit

    def __repr__(self) -> str:
        return f"GenesysClient({self._connection.api_url!r})"

    def _open(self, connection: Connection) -> None:
        self._connection = connection
        self.contacts = Contacts(connection)
        self.organization = Organization(connection)
        self.exports = Exports(connection)
        self.imports = Imports(connection)


def _credentials(environment: Mapping[str, str]) -> Credentials | Callable[[], Credentials]:
    if arn := environment.get("GENESYS_SECRET_ARN"):
        secret = Secret("GENESYS_SECRET_ARN", arn)
        return lambda: _read(secret)
    client_id, client_secret = environment.get("GENESYS_CLIENT_ID"), environment.get("GENESYS_CLIENT_SECRET")
    if client_id and client_secret:
        return Credentials(client_id, client_secret)
    raise ConfigurationError(
        "No credential for Genesys Cloud is configured. Set GENESYS_SECRET_ARN to a secret with client_id and "
        "client_secret, or set GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET."
    )


def _read(secret: Secret) -> Credentials:
    try:
        return Credentials(*secret.oauth_client())
    except SecretError as error:
        raise ConfigurationError(str(error)) from error
