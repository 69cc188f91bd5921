"""HubSpot's own calls: paths, checks, limits, faults, answers."""
