"""`python -m tools.docs`: write the sections that are made from the code into their pages."""

import sys

from tools.docs.pages import PageError, write


def main() -> int:
    try:
        changed = write()
    except PageError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("".join(f"written: {page}\n" for page in changed) or "nothing has changed\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
