"""A secret of AWS Secrets Manager, read when it is needed and again after it was rotated."""

import json
from typing import Any

from cir.aws.clients import open_client


class SecretError(Exception):
    """A secret cannot be read or used. The text names the setting and what to do, and holds nothing of the secret."""


class Secret:
    """The secret that a setting names. Reading it again gives what it is now."""

    def __init__(self, setting: str, arn: str) -> None:
        """`setting` is the environment variable that holds the ARN, for messages."""
        self._setting = setting
        self._arn = arn
        self._client: Any = None

    def text(self) -> str:
        """What is stored in it. Takes at most 14 s. Raises SecretError."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as late as boto3 itself

        try:
            text = self._opened().get_secret_value(SecretId=self._arn).get("SecretString")
        except ClientError as error:
            raise SecretError(
                f"{self._setting}: Secrets Manager answers {error.response['Error']['Code']} for {self._arn}. Check "
                "the ARN and that the role may call secretsmanager:GetSecretValue on it."
            ) from error
        except BotoCoreError as error:
            raise SecretError(f"{self._setting}: {self._arn} cannot be read: {error}") from error
        if not isinstance(text, str):
            raise SecretError(f"{self._setting}: the secret {self._arn} is binary; store it as text.")
        return text

    def oauth_client(self) -> tuple[str, str]:
        """Id and secret of an OAuth client. Raises SecretError."""
        try:
            values = json.loads(self.text())
            client_id, client_secret = values["client_id"], values["client_secret"]
        except (ValueError, KeyError, TypeError):
            client_id = client_secret = None
        if not isinstance(client_id, str) or not isinstance(client_secret, str):
            raise SecretError(
                f'{self._setting}: the secret {self._arn} must be JSON, {{"client_id": "...", "client_secret": "..."}}.'
            )
        return client_id, client_secret

    def _opened(self) -> Any:
        if self._client is None:
            # somebody waits for what the secret opens: better to hear soon that AWS does not answer
            self._client = open_client("secretsmanager", connect_seconds=2, read_seconds=5, attempts=2)
        return self._client
