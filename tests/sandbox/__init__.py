"""The HubSpot stand-in, over real HTTP."""
