"""What can be said about a log, and which model to trust on it: `recsys_lab.audit`."""
