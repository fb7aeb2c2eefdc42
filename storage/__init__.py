"""The remembering room: tables, migrations and every line of SQL."""
