"""OAuth2 clients of partner apps: who they are, what they may do, and whether they are let in."""
