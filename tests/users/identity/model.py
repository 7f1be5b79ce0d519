"""Reference implementation of identity resolution in plain Python."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Link:
    """Evidence that links two identifiers."""

    a: str
    b: str
    on: date

    @property
    def ends(self):
        return (min(self.a, self.b), max(self.a, self.b))


def kind_of(identifier):
    """The type of an identifier: its prefix; a telephone number begins with a plus."""
    return "phone" if identifier.startswith("+") else identifier.partition("-")[0]


def resolve_reference(links, as_of, limits, allow=(), deny=()):
    """Identifier to (key identifier, status), for every identifier that evidence up to as_of or a decision names."""
    links = [link for link in links if link.on <= as_of and link.ends not in set(deny)]
    others, age = {}, {}
    for link in links:
        for one, other in ((link.a, link.b), (link.b, link.a)):
            others.setdefault(one, set()).add(other)
            age[one] = min(age.get(one, link.on), link.on)
    withheld = {
        one
        for one, seen in others.items()
        for kind, limit in limits.get(kind_of(one), {}).items()
        if sum(kind_of(other) == kind for other in seen) > limit
    }
    edges = {link.ends for link in links if not withheld & {link.a, link.b}} | set(allow)
    everyone = set(others) | {one for pair in set(allow) for one in pair}
    resolved = {}
    for one in everyone:
        if one in resolved:
            continue
        group, waiting = set(), [one]
        while waiting:
            each = waiting.pop()
            if each not in group:
                group.add(each)
                waiting += [b if a == each else a for a, b in edges if each in (a, b)]
        key = min(group, key=lambda member: (member in withheld, age.get(member, date.max), member))
        alone = len(group) == 1 and group <= withheld
        resolved |= dict.fromkeys(group, (key, "shared" if alone else "active"))
    return resolved
