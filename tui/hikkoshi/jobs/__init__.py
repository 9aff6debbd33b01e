"""Background work: progress, cancel, signals, threads, plain messages. Knows no screen."""
