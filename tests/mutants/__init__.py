"""Deliberate faults in our own code, one at a time, and the proof that seeds find each of them: ``make mutants``.

`application` has calls of every kind, `models` says word for word what a caller of each must hear, `judge` compares,
`plans` draws who calls and what goes wrong, and `mutations` lists the faults.
"""
