"""The command line, in this process where that tells enough, and as real processes where it does not."""
