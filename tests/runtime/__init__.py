"""Tests of the runtime. What they share explains its failures as tests do."""

import pytest

pytest.register_assert_rewrite("tests.runtime.programs", "tests.runtime.worlds")
