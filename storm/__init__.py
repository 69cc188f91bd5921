"""The storm: the real rounds against the real sandbox in one process and virtual time, everything driven by one seed."""
