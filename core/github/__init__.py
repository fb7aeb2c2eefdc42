"""What GitHub's payloads mean, as values: read tolerantly, mapped to our nouns, rendered for its checks."""
