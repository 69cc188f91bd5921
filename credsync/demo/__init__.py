"""`make demo`: sandbox and service as two real processes, the four real cases and 200 more sign-ups, live."""

from credsync.demo.run import main

__all__ = ["main"]
