"""What the platform gives by itself for points: codes, and money that the business pays in batches."""
