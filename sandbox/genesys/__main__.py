"""`python -m sandbox.genesys --port 9090`: the emulator alone."""

from .command import main

if __name__ == "__main__":
    main()
