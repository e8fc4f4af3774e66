"""Fulfilment runs as finance finds them, without the state machine that makes them."""
