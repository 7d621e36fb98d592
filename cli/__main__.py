"""`cir`, and `python -m cli`."""

import sys
from importlib.util import find_spec


def main() -> None:
    """Run the command line; where its libraries are missing, say how they are installed."""
    if find_spec("typer") is None:
        sys.exit("cir: the libraries of the command line are missing: install `cir[cli]` instead of `cir`")
    from cli.main import main as run  # noqa: PLC0415 - without the libraries this fails

    run()


if __name__ == "__main__":
    main()
