"""Where the shop keeps things: refuses every connection while the machine room burns."""

import os
from dataclasses import dataclass, field


@dataclass
class Store:
    """A stand-in for a database server that can really be away."""

    rows: dict[str, int] = field(default_factory=dict)

    @classmethod
    def connect(cls) -> "Store":
        if os.environ.get("SHOP_STORE") == "down":
            raise ConnectionRefusedError("could not connect to store at 10.0.0.7:5432")
        return cls()
