"""Writes down what fell due for members of whom nobody asks."""
