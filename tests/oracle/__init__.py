"""The oracle: what each record should hold, by a second and separate reading of the domain's rules.

It knows what the caller told credsync (`Told`, with whether it was acknowledged), what reached HubSpot and what became
of every record (the sandbox's request log, journal and truth), and the portal file. It asks credsync nothing and
imports nothing of it. Where a rule cannot be judged from outside, the oracle keeps silent.
"""

from __future__ import annotations

from tests.oracle.evidence import Evidence, Told
from tests.oracle.judge import Rule, Wrong, judge

__all__ = ["Evidence", "Rule", "Told", "Wrong", "judge"]
