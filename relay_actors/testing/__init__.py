"""Test kit: pytest plugin and worlds."""
