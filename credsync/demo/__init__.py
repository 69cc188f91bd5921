"""`make demo`: sandbox and service as two real processes, the four real cases, 200 more sign-ups and seven stories, live."""

from credsync.demo.run import main

__all__ = ["main"]
