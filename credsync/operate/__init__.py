"""What people ask of the whole: how a therapist stands, who waits and why, a report to read out, an examination."""
