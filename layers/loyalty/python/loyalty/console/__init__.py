"""The console: pages for people of the business, rendered here, without scripts."""
