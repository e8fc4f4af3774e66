"""What the platform promises, once more: plain, slow, and without a line of the library.

Every point is an element of a list. Nothing here imports ``loyalty``, and nothing is clever: where it and the library
differ, it is the library that has to explain itself.
"""
