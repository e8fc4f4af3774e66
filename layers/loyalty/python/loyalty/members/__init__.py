"""Members: who takes part in a program. What is personal is kept as ciphertext and found by keyed hash."""
