"""What a portal is made of: object types, properties, association labels, and where they are read from."""
