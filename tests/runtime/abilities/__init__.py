"""Tests of what an actor can do."""
