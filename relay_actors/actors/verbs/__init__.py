"""The verbs of a call, by noun; defined once for all callers."""
