"""`/_sandbox/`: what HubSpot does not have. Make contacts, set faults, read the truth, move time."""
