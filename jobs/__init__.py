"""The acting room: one verb a file; read, decide, write in one transaction, and only then speak."""
