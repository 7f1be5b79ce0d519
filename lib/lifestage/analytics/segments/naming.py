"""Name segments by their profiles: how they differ from all users, in the configured words."""

from collections import Counter
from collections.abc import Sequence

from lifestage.analytics.segments.config import SegmentFeature

# A trait is a feature at least this many standard deviations from the mean of all users. A name starts with two traits.
NOTABLE = 0.3
TRAITS = 2
NO_TRAIT = "average"


def name_segments(profiles: Sequence[Sequence[float]], features: Sequence[SegmentFeature]) -> list[str]:
    """Return a unique name for each profile: its strongest traits in configured order, as "high spend, low repurchase".

    Equal names get further traits, one at a time, as long as there are any. Names that are still equal get numbers in the
    given order. A profile without traits is "average".

    Args:
        profiles: Standardised deviations from the mean of all users, one per feature.
        features: The features with their words, in the order of the profiles.
    """
    ranked = [_rank_traits(profile) for profile in profiles]
    names = [
        _name(profile, traits[:TRAITS], features) for profile, traits in zip(profiles, ranked, strict=True)
    ]
    for length in range(TRAITS + 1, len(features) + 1):
        duplicates = {name for name, count in Counter(names).items() if count > 1}
        names = [
            _name(profile, traits[:length], features) if name in duplicates else name
            for name, profile, traits in zip(names, profiles, ranked, strict=True)
        ]
    return _number_duplicates(names)


def _rank_traits(profile: Sequence[float]) -> list[int]:
    """Return the indexes of the traits, the strongest first; of equals, the first in configured order."""
    notable = [index for index, deviation in enumerate(profile) if abs(deviation) >= NOTABLE]
    return sorted(notable, key=lambda index: (-abs(profile[index]), index))


def _name(profile: Sequence[float], traits: Sequence[int], features: Sequence[SegmentFeature]) -> str:
    words = [features[index].high if profile[index] > 0 else features[index].low for index in sorted(traits)]
    return ", ".join(words) or NO_TRAIT


def _number_duplicates(names: Sequence[str]) -> list[str]:
    seen: Counter[str] = Counter()
    numbered = []
    for name in names:
        seen[name] += 1
        numbered.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return numbered
