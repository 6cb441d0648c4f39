"""Bytes with faults put in at random."""

from __future__ import annotations

import numpy as np


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """With some bytes changed, cut off or put in twice."""
    changed = bytearray(data)
    for _ in range(rng.integers(1, 6)):
        at = int(rng.integers(len(changed)))
        match rng.integers(4):
            case 0:
                changed[at] = rng.integers(256)
            case 1:
                changed[at : at + 4] = int(rng.integers(1 << 32)).to_bytes(4, "little")
            case 2:
                del changed[at : at + int(rng.integers(1, 64))]
            case _:
                changed[at:at] = changed[at : at + int(rng.integers(1, 64))]
        changed = changed or bytearray(b"?")
    return bytes(changed)
