"""The command ``dhtlab``."""

import sys

from . import _native


def main() -> None:
    sys.exit(_native.main(["dhtlab", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
