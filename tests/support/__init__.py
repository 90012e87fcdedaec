"""What several test modules share: peers and certificates. Nothing in here is a test."""
