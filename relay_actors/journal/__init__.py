"""What survives: entries and stores."""
