"""Colours of classes in a picture, and the place of their labels."""

import numpy as np

#: Ten colours, safe for the colour-blind: seaborn's palette "colorblind", as (10, 3) parts of red, green and blue.
PALETTE = (
    np.array(
        [
            tuple(bytes.fromhex(colour))
            for colour in (
                *("0173b2", "de8f05", "029e73", "d55e00", "cc78bc"),
                *("ca9161", "fbafe4", "949494", "ece133", "56b4e9"),
            )
        ]
    )
    / 255
)


def amid(points: np.ndarray) -> int:
    """Return the index of the point (of n, d) nearest to the median of each coordinate."""
    return int(((points - np.median(points, axis=0)) ** 2).sum(axis=1).argmin())
