"""What can go wrong with a CRM: one line, without personal data, that says what to do."""


class CrmError(Exception):
    """The CRM refused, did not answer, or is not configured."""

    def __init__(
        self, text: str, *, operation: str = "", status: int | None = None, code: str = "", temporary: bool = False
    ) -> None:
        super().__init__(text)
        self.operation = operation
        """For instance `salesforce.query`."""
        self.status = status
        """The HTTP status; None if there was no answer."""
        self.code = code
        """The CRM's own, for instance `REQUEST_LIMIT_EXCEEDED`."""
        self.temporary = temporary
        """The same can succeed later without anybody changing anything."""
