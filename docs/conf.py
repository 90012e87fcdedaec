"""How the documentation is built: `make docs`."""

from relay_actors import __version__

project = "relay_actors"
author = "The relay_actors founders"
copyright = "the relay_actors founders, Apache License 2.0"
release = __version__
version = ".".join(release.split(".")[:2])

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["wider.css"]
html_title = f"relay_actors {release}"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_google_docstring = True
napoleon_numpy_docstring = False

nitpicky = False  # docstrings name things of the standard library, whose inventory a build without network cannot have


def setup(app):
    """Let the docstring of a property that has a colon in it be one sentence: napoleon reads a type before a colon."""
    app.connect("autodoc-process-docstring", _begin_with_nothing, priority=100)


def _begin_with_nothing(_app, what, _name, _obj, _options, lines):
    if what in ("property", "attribute", "data") and lines:
        lines[:0] = ["..", ""]  # an empty comment: without a colon, and with nothing to be seen
