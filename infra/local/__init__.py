"""The local cloud: the synthesized templates, deployed on this machine without Docker."""
