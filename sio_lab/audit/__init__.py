"""Running the checks: selection, scheduling, evidence, results."""
