"""Reading a secret: what is in it now, and what is said when it cannot be used."""

import json
from typing import Any

import boto3
import pytest

from cir.aws.secrets import Secret, SecretError
from cir.runtime import log
from tests.support.recording import recording_aws


@pytest.fixture
def manager(aws_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_url)
    return boto3.Session().client("secretsmanager")


def stored(manager: Any, name: str, **content: Any) -> Secret:
    return Secret("CRM_SECRET_ARN", manager.create_secret(Name=name, **content)["ARN"])


def test_a_secret_is_read_as_it_is_now(manager: Any) -> None:
    arn = manager.create_secret(Name="rotated", SecretString='{"client_id": "a", "client_secret": "old"}')["ARN"]
    secret = Secret("CRM_SECRET_ARN", arn)
    assert secret.oauth_client() == ("a", "old")
    manager.put_secret_value(SecretId=arn, SecretString='{"client_id": "a", "client_secret": "new"}')
    assert secret.oauth_client() == ("a", "new")
    assert json.loads(secret.text()) == {"client_id": "a", "client_secret": "new"}


@pytest.mark.parametrize(
    "text", ["hush", "[]", '"hush"', "7", "null", '{"client_id": "hush"}', '{"client_id": 7, "client_secret": "hush"}']
)
def test_what_is_no_oauth_client_is_refused_without_being_quoted(text: str, manager: Any) -> None:
    secret = stored(manager, f"wrong{text.encode().hex()}", SecretString=text)
    with pytest.raises(SecretError, match=r"CRM_SECRET_ARN.*must be JSON") as refused:
        secret.oauth_client()
    assert "hush" not in str(refused.value)


def test_a_binary_secret_is_refused(manager: Any) -> None:
    with pytest.raises(SecretError, match="binary"):
        stored(manager, "binary", SecretBinary=b"hush").text()


def test_a_missing_secret_says_what_to_check_and_the_log_has_the_code_of_aws(
    manager: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = Secret("CRM_SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:none")
    with pytest.raises(SecretError, match=r"ResourceNotFoundException.*GetSecretValue") as refused:
        secret.text()
    log.write_failure("not read", refused.value)
    assert json.loads(capsys.readouterr().out)["code"] == "ResourceNotFoundException"


def test_it_is_read_with_the_credentials_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command enters an environment when boto3 may have remembered other credentials already."""
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:moment"
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with recording_aws() as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "FIRST")
        boto3.client("sqs").list_queues()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "NOW")
        with pytest.raises(SecretError):
            Secret("CRM_SECRET_ARN", arn).text()
    assert aws.calls["NOW"] == {("secretsmanager:GetSecretValue", arn)}
