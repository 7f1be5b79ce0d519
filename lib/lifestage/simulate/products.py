"""The product range: categories, prices and price ranges, the same in every world."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lifestage.simulate.text import concat_text, zero_pad

# The last three are bought for special reasons.
CATEGORIES = (
    "ingredients", "dishes", "drinks", "coffee", "sweets", "bakery", "household", "garden", "toys", "books",
    "clothing", "shoes", "sports", "electronics", "beauty", "pets", "tickets", "strollers", "car_seats",
)  # fmt: skip
USUAL_PRICES = (6, 14, 5, 9, 4, 5, 8, 15, 18, 12, 35, 60, 40, 120, 16, 11, 28, 320, 180)
A_CATEGORY = 24
SEED = 7
# Price ranges of a category, with eight products each: cheap, usual and expensive.
RANGES = 3
# The best-selling dish, every second one sold, and a pack of coffee that lasts for months.
DISH = A_CATEGORY * CATEGORIES.index("dishes") + A_CATEGORY // RANGES
LARGE_PACK = A_CATEGORY * CATEGORIES.index("coffee") + A_CATEGORY - 1


@dataclass(frozen=True)
class Products:
    """One value per product in each array."""

    category: npt.NDArray[np.int16]
    cents: npt.NDArray[np.int64]
    """The price before any discount."""
    launched: npt.NDArray[np.int32]
    """Day of the launch, for most products before the first day of the world."""

    def numbers(self) -> pa.Array:
        """Return the product numbers."""
        return concat_text("P", zero_pad(np.arange(len(self.category)), 4))


def draw_products() -> Products:
    """Draw eight cheap, eight usual and eight expensive products for each category."""
    rng = np.random.default_rng(SEED)
    n = len(CATEGORIES) * A_CATEGORY
    category = np.repeat(np.arange(len(CATEGORIES)), A_CATEGORY)
    dearness = np.array([0.6, 1.0, 1.9])[np.arange(n) % A_CATEGORY // (A_CATEGORY // RANGES)]
    price = np.array(USUAL_PRICES)[category] * dearness * rng.lognormal(0, 0.15, n)
    cents = np.maximum(np.round(price * 20) * 5 - 1, 49).astype(np.int64)
    cents[LARGE_PACK] = 18_900
    launched = np.where(rng.random(n) < 0.1, rng.integers(0, 360, n), -400)
    return Products(category.astype(np.int16), cents, launched.astype(np.int32))


def pick_products(
    rng: np.random.Generator, category: npt.NDArray[np.int8], dear: npt.NDArray[np.int8]
) -> npt.NDArray[np.int32]:
    """Pick one product per category and price range (0 cheap, 1 usual, 2 expensive), the first ones most often."""
    width = A_CATEGORY // RANGES
    place = np.floor(width * rng.random(len(category)) ** 2.2).astype(np.int32)
    return category.astype(np.int32) * A_CATEGORY + dear.astype(np.int32) * width + place
