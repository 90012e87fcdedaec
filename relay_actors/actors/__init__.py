"""The telephony actors and their verbs."""
