"""The relay-actors command."""
