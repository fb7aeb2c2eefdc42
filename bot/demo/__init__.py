"""The demo: the whole loop on this machine - real server, real pytest, real reports, a Slack room of our own."""
