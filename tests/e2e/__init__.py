"""Tests of the deployed template, through HTTPS, the bus and the state machine."""
