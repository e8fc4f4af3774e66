"""The loyalty platform's library, packaged by feature.

Imports point one way: ``functions → loyalty.<feature> → loyalty.ledger → loyalty.core``.
"""
