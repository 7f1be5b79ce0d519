"""Names of segments from their profiles: what sets a segment apart from all users, in the words of the config."""

from collections import Counter
from collections.abc import Sequence

from lifestage.analytics.segments.config import SegmentFeature

# A trait is at least this many standard deviations from the mean of all users; a name starts with two.
NOTABLE = 0.3
TRAITS = 2
NO_TRAIT = "average"


def segment_names(profiles: Sequence[Sequence[float]], features: Sequence[SegmentFeature]) -> list[str]:
    """One name per profile, unique: its strongest traits in the order of the config, as "high spend, low repurchase".

    Names that clash take a further trait each, while they have one; what still clashes is numbered in the
    given order. A profile without traits is "average".

    Args:
        profiles: Standardised deviations from the mean of all users, one per feature.
        features: The features with their words.
    """
    ranked = [_ranked_traits(profile) for profile in profiles]
    names = [
        _name(profile, traits[:TRAITS], features) for profile, traits in zip(profiles, ranked, strict=True)
    ]
    for length in range(TRAITS + 1, len(features) + 1):
        shared = {name for name, count in Counter(names).items() if count > 1}
        names = [
            _name(profile, traits[:length], features) if name in shared else name
            for name, profile, traits in zip(names, profiles, ranked, strict=True)
        ]
    return _numbered(names)


def _ranked_traits(profile: Sequence[float]) -> list[int]:
    notable = [index for index, deviation in enumerate(profile) if abs(deviation) >= NOTABLE]
    return sorted(notable, key=lambda index: (-abs(profile[index]), index))


def _name(profile: Sequence[float], traits: Sequence[int], features: Sequence[SegmentFeature]) -> str:
    words = [features[index].high if profile[index] > 0 else features[index].low for index in sorted(traits)]
    return ", ".join(words) or NO_TRAIT


def _numbered(names: Sequence[str]) -> list[str]:
    seen: Counter[str] = Counter()
    numbered = []
    for name in names:
        seen[name] += 1
        numbered.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return numbered
