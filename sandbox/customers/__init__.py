"""Sample customers: a reproducible Salesforce export with all that makes real ones hard, and the truth about it."""

from sandbox.customers.accounts import COLUMNS, SENSITIVE_COLUMNS, Row
from sandbox.customers.base import SMALLEST, SampleBase, generate, write_csv
from sandbox.customers.noise import Noise
from sandbox.customers.personas import PERSONAS, Persona, Personas, SharedLine

__all__ = [
    "COLUMNS",
    "PERSONAS",
    "SENSITIVE_COLUMNS",
    "SMALLEST",
    "Noise",
    "Persona",
    "Personas",
    "Row",
    "SampleBase",
    "SharedLine",
    "generate",
    "write_csv",
]
