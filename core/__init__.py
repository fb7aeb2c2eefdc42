"""The thinking room: pure values and functions; no clock, no files, no SQL, no HTTP, no Slack, no logging."""
