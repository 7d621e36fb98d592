"""The operator's command line: `cir`."""

from importlib.util import find_spec

IN_CHECKOUT = find_spec("sandbox") is not None
"""Whether the sandbox lies beside: in a checkout of the repository, and not where `cir` has been installed alone."""
