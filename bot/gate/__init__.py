"""The CI side of the gate: runs the command, uploads its reports, asks, and ends with the decided exit code."""
