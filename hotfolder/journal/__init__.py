"""The durable memory: SQLite, and the only SQL."""
