"""The answer to a caller: from a request to a verdict within the budget."""

__all__ = ["answer", "policy", "request", "resolver"]
