"""The command line, by its name or as ``python -m glassmax``."""

import sys

__all__ = ["main"]


def main() -> None:
    """Load the command line and run it; Ctrl-C while it loads ends the process without a traceback."""
    try:
        from .cli import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
