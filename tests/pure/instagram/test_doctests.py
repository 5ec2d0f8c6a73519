import doctest
import importlib
import pkgutil

import pytest

from clipcast.platforms import instagram

MODULES = [module.name for module in pkgutil.iter_modules(instagram.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_the_docstrings_are_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"clipcast.platforms.instagram.{name}")).failed == 0
