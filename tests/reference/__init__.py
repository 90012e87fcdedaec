"""Makes the pages of the reference from the code's own tables: ``python -m tests.reference``, or ``make reference``."""
