"""Conversations: which contact a live one belongs to."""

from typing import Literal

from cir.genesys.connection import Connection

MediaType = Literal["CALL", "CALLBACK", "CHAT", "EMAIL", "MESSAGE"]


class Conversations:
    """`client.conversations`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def associate(
        self, conversation_id: str, *, communication_id: str, media_type: MediaType, contact_id: str | None
    ) -> None:
        """Link a live conversation to a contact, or to none. Repeated; takes effect a little later."""
        body = {"conversationId": conversation_id, "communicationId": communication_id, "mediaType": media_type}
        self._connection.request(
            "conversations.associate",
            "PUT",
            ("externalcontacts", "conversations", conversation_id),
            repeatable=True,
            body=body | ({"externalContactId": contact_id} if contact_id else {}),
        )
