"""What is written of a failure: enough to find the place, nothing that quotes a value."""

import json

import pytest
import requests
from botocore.exceptions import ClientError

from cir.runtime import log

NUMBER = "+442079460123"


def _written(error: Exception, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    try:
        raise error
    except type(error) as caught:
        log.write_failure("failed", caught, part="sync")
    line = capsys.readouterr().out
    assert NUMBER not in line
    written: dict[str, object] = json.loads(line)
    assert (written["event"], written["level"], written["part"]) == ("failed", "error", "sync")
    assert "_written" in str(written["at"])
    return written


def test_what_aws_refuses_is_written_with_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    error = ClientError({"Error": {"Code": "AccessDeniedException", "Message": NUMBER}}, "Query")
    written = _written(error, capsys)
    assert (written["error"], written["code"]) == ("ClientError", "AccessDeniedException")


@pytest.mark.parametrize("response", [None, requests.Response()], ids=["unanswered", "answered"])
def test_what_http_refuses_is_written_too(
    response: requests.Response | None, capsys: pytest.CaptureFixture[str]
) -> None:
    written = _written(requests.HTTPError(f"for {NUMBER}", response=response), capsys)
    assert written["error"] == "HTTPError"
    assert "code" not in written


def test_any_other_failure_is_written_by_its_kind(capsys: pytest.CaptureFixture[str]) -> None:
    written = _written(ValueError(NUMBER), capsys)
    assert written["error"] == "ValueError"
    assert "code" not in written
