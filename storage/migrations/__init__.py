"""The schema's history, packed with the program and run by `Database.migrate()`."""
