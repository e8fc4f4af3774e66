"""Builds what Lambda runs, without Docker and byte for byte the same each time: two layers and one folder a function."""

from infra.bundling.build import Assets, Builder
from infra.bundling.targets import CLOUD, LOCAL, Target

__all__ = ["CLOUD", "LOCAL", "Assets", "Builder", "Target"]
