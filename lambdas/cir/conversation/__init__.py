"""What a caller changes: linking an identifier to a customer, creating a customer."""
