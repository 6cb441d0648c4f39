"""`python -m lapmark` is the command `lapmark`."""

from lapmark.bench.cli import main

if __name__ == "__main__":
    main()
