"""IAM authentication against ElastiCache: the password is a request signed locally with the function's role."""

from redis.credentials import CredentialProvider

from cir.aws.sigv4 import CredentialSource, presigned_query

TOKEN_SECONDS = 900
"""The longest that ElastiCache accepts. It is needed only while a connection is opened, so each gets a new one."""


class IamPassword(CredentialProvider):
    """User name and password for the Redis client of a Lambda with `elasticache:Connect` on the cache and the user."""

    def __init__(self, *, user: str, cache_name: str, region: str, serverless: bool) -> None:
        self._user = user
        self._cache_name = cache_name.lower()
        self._region = region
        self._serverless = serverless
        self._credentials = CredentialSource()

    def get_credentials(self) -> tuple[str, str]:
        """Called by the client whenever it opens a connection."""
        parameters = {"Action": "connect", "User": self._user}
        if self._serverless:
            parameters["ResourceType"] = "ServerlessCache"
        query = presigned_query(
            self._credentials(),
            region=self._region,
            service="elasticache",
            host=self._cache_name,
            parameters=parameters,
            expires_seconds=TOKEN_SECONDS,
        )
        return self._user, f"{self._cache_name}/?{query}"
