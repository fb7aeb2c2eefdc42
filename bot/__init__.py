"""The talking room: Slack, GitHub, HTTP and the terminal."""
