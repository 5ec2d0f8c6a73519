"""`python -m clipcast` is `clipcast`."""

from clipcast.cli import main

if __name__ == "__main__":
    main()
