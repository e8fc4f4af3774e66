"""Our orders against the suppliers' own lists and invoices: what matches, what does not, and what a person has to look at."""
