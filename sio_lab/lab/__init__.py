"""The declaration of a lab: one YAML file, one typed model."""
