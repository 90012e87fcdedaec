"""Examples are found in a clone and in an installation, and nowhere else."""

import re
import tomllib
from pathlib import Path

import pytest

from relay_actors import RelayApp
from relay_actors.cli.demo import EXAMPLE
from relay_actors.cli.examples import load_example
from relay_actors.errors import ConfigError
from tests.support.house import REPOSITORY

SMALL = "from relay_actors import RelayApp\n\napp = RelayApp(contexts=['{0}'])\n"


def test_each_load_gives_a_new_application():
    """Two demos in one process must not share anything."""
    one, other = load_example("front_desk"), load_example("front_desk")

    assert isinstance(one, RelayApp)
    assert one is not other
    assert "hotel" in one.contexts


def test_what_is_inside_the_package_comes_first(tmp_path: Path):
    """What stands beside an installed package is somebody else's."""
    for place in ("inside", "beside"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "small.py").write_text(SMALL.format(place))

    assert load_example("small", (tmp_path / "inside", tmp_path / "beside")).contexts == ("inside",)
    assert load_example("small", (tmp_path / "nowhere", tmp_path / "beside")).contexts == ("beside",)


def test_an_example_that_is_not_there_is_an_error_that_says_where_it_was_looked_for(tmp_path: Path):
    with pytest.raises(ConfigError, match=re.escape(str(tmp_path))):
        load_example("no_such_example", (tmp_path,))


def test_the_wheel_carries_the_demos_application():
    """`relay-actors demo` works where there is no clone."""
    build = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]

    carried = build["targets"]["wheel"]["force-include"]
    assert carried == {f"examples/{EXAMPLE}.py": f"relay_actors/_examples/{EXAMPLE}.py"}
    assert all((REPOSITORY / source).is_file() for source in carried)
