"""What one process remembers about identities, so that a known report costs next to no reads."""


class Memory:
    """Filled only after commit; forgotten per project when its identity epoch moves."""
