"""The oracle: what each record should hold, by a second and separate reading of the domain's rules.

It knows what the caller told credsync (`Told`, with whether it was acknowledged), what reached HubSpot and what became
of every record (the sandbox's request log, journal and truth), and the portal file. It asks credsync nothing and
imports nothing of it.

Where a rule cannot be judged from outside, the oracle keeps silent: when credsync looks, what it says of a state, why
something waits, when a CA counts as attested, which of two definitive slots holds where only later words on moving
are known. A fact that came in while a round was about to look may be in that round or not: both are right.
"""

from __future__ import annotations

from tests.oracle.evidence import Evidence, Told
from tests.oracle.judge import judge
from tests.oracle.wrongs import Rule, Wrong

__all__ = ["Evidence", "Rule", "Told", "Wrong", "judge"]
