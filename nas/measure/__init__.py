"""What a device tells of itself."""
