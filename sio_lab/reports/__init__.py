"""Reports: each renders the audit document in one format, and computes nothing."""
