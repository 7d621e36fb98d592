"""A Genesys Cloud organization on this machine, as tests of the sync plane see and provoke it."""

from dataclasses import dataclass
from typing import Any, cast

import requests

from cir.genesys.client import GenesysClient
from cir.genesys.models import Contact
from cir.genesys.transport import Transport
from cir.http.oauth import Credentials
from cir.http.retries import Timing
from sandbox.genesys import Control

WRITES = ("enrich", "PATCH", "PUT", "DELETE", "merge")


@dataclass(frozen=True, slots=True)
class GenesysCloud(Control):
    """The emulator at an address."""

    @property
    def environment(self) -> dict[str, str]:
        """What leads a function or command here."""
        return {"GENESYS_URL": self.url, "GENESYS_CLIENT_ID": "sandbox", "GENESYS_CLIENT_SECRET": "sandbox"}

    def client(self, **transport: Any) -> GenesysClient:
        """A client that does not wait between its attempts."""
        return GenesysClient(
            api_url=self.url,
            credentials=Credentials("sandbox", "sandbox"),
            transport=Transport(**{"timing": Timing(sleep=lambda _: None), **transport}),
        )

    def contacts(self) -> list[Contact]:
        """All canonical contacts."""
        return [contact for page in self.client().contacts.scan() for contact in page.contacts]

    def contact(self, contact_id: str) -> dict[str, Any]:
        return cast(dict[str, Any], self.client().contacts.get(contact_id))

    def holder(self, kind: str, value: str) -> str | None:
        """The id of the contact that has claimed an identifier."""
        found = self.client().contacts.find({"type": kind, "value": value})
        return found["id"] if found else None

    def create(self, **fields: object) -> str:
        """A contact made by an agent."""
        return str(self._as_somebody_else("POST", "contacts", fields)["id"])

    def merge(self, *contact_ids: str) -> str:
        """What an agent makes one; returns the id of the contact that they have become."""
        return self.client().contacts.merge(contact_ids, value_override={})["id"]

    def promote(self, contact_id: str) -> None:
        """An agent keeps a contact that Genesys has made of a stranger."""
        self._as_somebody_else("POST", f"contacts/{contact_id}/promotion", None)

    def merge_by_itself(self, enabled: bool) -> None:
        """Switch Genesys' own automatic merging on or off."""
        self._as_somebody_else("PUT", "graphs/settings", {"automaticMergingEnabled": enabled})

    def writes(self) -> int:
        """Calls that can change a contact."""
        return sum(number for call, number in self.calls().items() if any(word in call for word in WRITES))

    def _as_somebody_else(self, method: str, path: str, body: object) -> Any:
        form = {"grant_type": "client_credentials"}
        token = requests.post(f"{self.url}/oauth/token", form, auth=("sandbox", "sandbox"), timeout=10).json()
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        url = f"{self.url}/api/v2/externalcontacts/{path}"
        answer = requests.request(method, url, json=body, headers=headers, timeout=10)
        assert answer.ok, answer.text
        return answer.json()
