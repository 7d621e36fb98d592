"""What every function has: the log, metrics, the deadline."""
