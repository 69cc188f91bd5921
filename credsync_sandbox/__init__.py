"""A stand-in for HubSpot: the calls credsync makes, the limits and faults it meets, and workflows that come late.

It shares no code with the service, so that neither can hide the other's mistake. `docs/sandbox.md` says what it does
and what it does not do.
"""
