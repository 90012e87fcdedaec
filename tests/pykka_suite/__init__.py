"""pykka's own tests, run against our actors: ``make pykka-suite``."""
