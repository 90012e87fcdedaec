"""An application is killed with SIGKILL while hundreds of calls are up, and started again: ``make kill9``.

The simulator has a process of its own, with people on the phone who know what they are to hear (`people`), and keeps a
journal of what it has seen (`recorder`). That journal alone is read by the `judge`. The application (`application`) is
one as anybody would write it: flows, and a journal of its own, from which it goes on. `killer` starts and kills.
"""
