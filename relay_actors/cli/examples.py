"""Finds the example applications: beside the package in a clone, inside it in an installation. Layer: door."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Final

from relay_actors.app import RelayApp
from relay_actors.errors import ConfigError

__all__ = ["load_example"]

_PACKAGE: Final = Path(__file__).resolve().parents[1]
_PLACES: Final = (_PACKAGE / "_examples", _PACKAGE.parent / "examples")
"""Inside first: what stands beside an installed package is somebody else's."""


def load_example(name: str, places: tuple[Path, ...] = _PLACES) -> RelayApp:
    """Return the application of ``examples/<name>.py``, a new one each time.

    Raises:
        ConfigError: there is no such example.
    """
    file = next((file for place in places if (file := place / f"{name}.py").is_file()), None)
    if file is None:
        looked = " and ".join(str(place) for place in places)
        raise ConfigError(f"the example {name!r} is neither in {looked}: install relay_actors anew")
    spec = importlib.util.spec_from_file_location(f"relay_actors_example_{name}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where pickling and dataclasses look for it
    spec.loader.exec_module(module)
    app = module.app
    assert isinstance(app, RelayApp)
    return app
