"""The vendor's own SDK, unchanged, against the simulator: how we know that it does not merely agree with ourselves.

Run it by ``make parity``, which has an environment of its own. What needs the SDK is not collected by pytest.
"""
