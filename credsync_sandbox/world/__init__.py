"""What exists in the sandbox and how it changes: time, records, associations, workflows."""
