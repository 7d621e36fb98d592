"""The clients of boto3, for whoever is not in a hurry: importing it takes 190 ms, and the resolver never does."""

from typing import Any


def open_client(service: str, *, connect_seconds: float = 60, read_seconds: float = 60, attempts: int = 0) -> Any:
    """A client of boto3 in the region and with the credentials of the environment.

    `attempts` are all there are of one call; the environment says how many where it is 0.
    """
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    config = Config(connect_timeout=connect_seconds, read_timeout=read_seconds)
    if attempts:
        config = config.merge(Config(retries={"total_max_attempts": attempts, "mode": "standard"}))
    # a session of its own: boto3's default one keeps the first credentials that this process has had
    return boto3.Session().client(service, config=config)  # type: ignore[call-overload]
