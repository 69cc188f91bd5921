"""The performance tables: real processes on loopback, judged by the sandbox's request log and its truth."""
