"""What every function has: the log, metrics, the deadline."""

__all__ = ["deadline", "log", "metrics"]
