"""Segments of members: who is in which of those that the program declares, and until when."""
