"""What a caller changes: linking an identifier to a customer, creating a customer."""

__all__ = ["creating", "linking"]
