"""What is stored, and how. The schema is whole whichever of its tables is asked for first."""

from credsync.store import webhook_tables as webhook_tables
