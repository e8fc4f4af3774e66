"""One folder for each Lambda function. What stands here runs before any function imports anything.

Importing makes some hundred thousand objects that live as long as the process. With Python's own threshold the garbage
collector walks all of them again and again, for about a fifth of a cold start; it still collects, but less eagerly.
"""

import gc

gc.set_threshold(400_000, 20, 20)
