"""The parts that need Celery, which is an extra."""

from importlib import import_module
from typing import Any

from clipcast.errors import ConfigurationError


def celery_part(name: str) -> Any:
    """That module of `clipcast.worker`, loaded when it is needed.

    Raises:
        ConfigurationError: Celery, or what it needs for this broker, is not installed.
    """
    try:
        return import_module(f"clipcast.worker.{name}")
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.startswith("clipcast"):
            raise
        raise ConfigurationError(f"CLIPCAST_BROKER_URL needs Celery ({error.name} is missing): pip install 'clipcast[celery]'.") from error
