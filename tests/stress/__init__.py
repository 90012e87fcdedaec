"""Long runs, for `make stress`; the suite runs a short form of each."""
