"""The command line. Commands compute nothing themselves and import what they need when they run."""
