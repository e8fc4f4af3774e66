"""Why a balance is what it is: the books of any past moment, and the entries in words."""
