"""YAML to checked values: every problem of a file at once, each with its place in the file."""
