"""What finance sees of fulfilment: lists of runs, totals, exports. It decides nothing: see ``loyalty.fulfillment``."""
