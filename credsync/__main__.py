"""`python -m credsync`."""

from credsync.cli import main

main()
