"""Every table, so that the metadata is whole for migrations: asking imports every module of the room."""

import importlib
import pkgutil

from sqlalchemy import MetaData
from sqlmodel import SQLModel

import storage

_NOT_TABLES = frozenset({"tables", "migrations"})


def metadata() -> MetaData:
    """The whole schema as the code knows it."""
    for module in pkgutil.iter_modules(storage.__path__):
        if module.name not in _NOT_TABLES:
            importlib.import_module(f"storage.{module.name}")
    return SQLModel.metadata
