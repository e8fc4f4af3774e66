"""Rewards of which there are only so many: what is put into stock, claimed by holds, and given back."""
