"""One reward for the members of a list, thousands of them: each line a redemption of its own, fulfilled as any other."""
