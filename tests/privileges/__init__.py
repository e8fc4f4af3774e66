"""What the platform's roles are granted, compared with what they did."""
