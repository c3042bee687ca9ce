"""The command ``dhtlab``."""

import signal
import sys

from . import _native


def main() -> None:
    # Python would only note the signal; the command handles it while scenarios run.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(_native.main(["dhtlab", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
