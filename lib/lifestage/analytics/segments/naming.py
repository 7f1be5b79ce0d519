"""Name segments by their profiles: how they differ from all users, in the configured words."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain, count

from lifestage.analytics.segments.config import SegmentFeature

# A trait is a feature at least this many standard deviations from the mean of all users. A name starts with two traits.
NOTABLE = 0.3
TRAITS = 2
NO_TRAIT = "average"
NUMBER = re.compile(r" \(\d+\)$")


def name_segments(
    profiles: Sequence[Sequence[float]],
    features: Sequence[SegmentFeature],
    earlier_names: Sequence[str | None] = (),
) -> list[str]:
    """Return a unique name for each profile: its strongest traits in configured order, as "high spend, low repurchase".

    A segment keeps its earlier name while each trait in it holds, even if other traits are stronger now. Equal names get
    further traits, one at a time, as long as there are any. Names that are still equal get numbers in the given order. A
    profile without traits is "average".

    Args:
        profiles: Standardised deviations from the mean of all users, one per feature.
        features: The features with their words, in the order of the profiles.
        earlier_names: The name of each segment in the model before, unique; None for a new segment. Empty if all are new.
    """
    earlier = earlier_names or [None for _ in profiles]
    is_kept = [
        name is not None and name_holds(name, profile, features)
        for name, profile in zip(earlier, profiles, strict=True)
    ]
    ranked = [_rank_traits(profile) for profile in profiles]
    names = [
        name if name and keeps else _name(profile, traits[:TRAITS], features)
        for name, keeps, profile, traits in zip(earlier, is_kept, profiles, ranked, strict=True)
    ]
    for length in range(TRAITS + 1, len(features) + 1):
        duplicates = {name for name, count in Counter(names).items() if count > 1}
        names = [
            _name(profile, traits[:length], features) if name in duplicates and not keeps else name
            for name, keeps, profile, traits in zip(names, is_kept, profiles, ranked, strict=True)
        ]
    return _number_duplicates(names, is_kept)


def name_holds(name: str, profile: Sequence[float], features: Sequence[SegmentFeature]) -> bool:
    """Return whether the profile still has each trait of a name; not if the configured words have changed."""
    rest = NUMBER.sub("", name)
    if rest == NO_TRAIT:
        return not _rank_traits(profile)
    for deviation, feature in zip(profile, features, strict=True):
        for words, holds in ((feature.high, deviation >= NOTABLE), (feature.low, deviation <= -NOTABLE)):
            if f"{rest}, ".startswith(f"{words}, "):
                if not holds:
                    return False
                rest = rest[len(words) + 2 :]
                break
    return not rest


def _rank_traits(profile: Sequence[float]) -> list[int]:
    """Return the indexes of the traits, the strongest first; of equals, the first in configured order."""
    notable = [index for index, deviation in enumerate(profile) if abs(deviation) >= NOTABLE]
    return sorted(notable, key=lambda index: (-abs(profile[index]), index))


def _name(profile: Sequence[float], traits: Sequence[int], features: Sequence[SegmentFeature]) -> str:
    words = [features[index].high if profile[index] > 0 else features[index].low for index in sorted(traits)]
    return ", ".join(words) or NO_TRAIT


def _number_duplicates(names: Sequence[str], is_kept: Sequence[bool]) -> list[str]:
    taken = {name for name, keeps in zip(names, is_kept, strict=True) if keeps}
    numbered = []
    for name, keeps in zip(names, is_kept, strict=True):
        candidates = chain([name], (f"{name} ({number})" for number in count(2)))
        numbered.append(name if keeps else next(each for each in candidates if each not in taken))
        taken.add(numbered[-1])
    return numbered
