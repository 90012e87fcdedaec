"""What takes minutes on real threads, under load: ``make stress``. Each module has ``main()``, which raises, or returns
something true, when a promise was not kept."""
