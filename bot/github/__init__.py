"""The GitHub face: webhooks in, REST out; the only place that knows GitHub's wire format."""
