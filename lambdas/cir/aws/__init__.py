"""The thin ends towards AWS: DynamoDB, files in S3 or a directory, request signatures, secrets."""

__all__ = ["clients", "dynamodb", "elasticache", "files", "secrets"]
