"""What is sold: categories, prices and ranges of products, the same in every world."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lifestage.simulate.text import joined, padded

# The last three are bought for a reason of their own.
CATEGORIES = (
    "ingredients", "dishes", "drinks", "coffee", "sweets", "bakery", "household", "garden", "toys", "books",
    "clothing", "shoes", "sports", "electronics", "beauty", "pets", "tickets", "strollers", "car_seats",
)  # fmt: skip
USUAL_PRICES = (6, 14, 5, 9, 4, 5, 8, 15, 18, 12, 35, 60, 40, 120, 16, 11, 28, 320, 180)
A_CATEGORY = 24
SEED = 7
# Each range of a category: eight products that are cheap, usual or dear.
RANGES = 3
# The dish that every second dish sold is, and a pack of coffee for months.
DISH = A_CATEGORY * CATEGORIES.index("dishes") + A_CATEGORY // RANGES
LARGE_PACK = A_CATEGORY * CATEGORIES.index("coffee") + A_CATEGORY - 1


@dataclass(frozen=True)
class Products:
    """One value a product."""

    category: npt.NDArray[np.int16]
    cents: npt.NDArray[np.int64]
    """The price before any discount."""
    launched: npt.NDArray[np.int32]
    """Day of the launch; most were there before the world began."""

    def names(self) -> pa.Array:
        """Product numbers."""
        return joined("P", padded(np.arange(len(self.category)), 4))


def products_of() -> Products:
    """The range: in each category eight cheap, eight usual and eight dear products."""
    rng = np.random.default_rng(SEED)
    n = len(CATEGORIES) * A_CATEGORY
    category = np.repeat(np.arange(len(CATEGORIES)), A_CATEGORY)
    dearness = np.array([0.6, 1.0, 1.9])[np.arange(n) % A_CATEGORY // (A_CATEGORY // RANGES)]
    price = np.array(USUAL_PRICES)[category] * dearness * rng.lognormal(0, 0.15, n)
    cents = np.maximum(np.round(price * 20) * 5 - 1, 49).astype(np.int64)
    cents[LARGE_PACK] = 18_900
    launched = np.where(rng.random(n) < 0.1, rng.integers(0, 360, n), -400)
    return Products(category.astype(np.int16), cents, launched.astype(np.int32))


def choose(
    rng: np.random.Generator, category: npt.NDArray[np.int8], dear: npt.NDArray[np.int8]
) -> npt.NDArray[np.int32]:
    """A product of each category: of the cheap, usual or dear range (0, 1, 2), the first ones most often."""
    width = A_CATEGORY // RANGES
    place = np.floor(width * rng.random(len(category)) ** 2.2).astype(np.int32)
    return category.astype(np.int32) * A_CATEGORY + dear.astype(np.int32) * width + place
