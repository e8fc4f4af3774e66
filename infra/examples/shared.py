"""What examples of several features have in common."""

from typing import Final

MEMBER: Final = "mbr_01k9t3v5q8w2x4y6z8a0b2c4d6"
OTHER: Final = "mbr_01k9t3w7e1r5t9y3u7j1m5n9q3"
REDEMPTION: Final = "rdm_3f7k9m2p5r8t1v4x6z0b3d5g7j"
HOUSEHOLD_ID: Final = "hsh_2c4e6g8j0m3p5r7t9v1x3z5b7d"
