"""What the report's section about identities shows, with fixed defaults."""

from lifestage.users.identity.advice import Suspicions, SuspiciousIdentity
from lifestage.users.identity.section import IdentityData
from lifestage.users.identity.tables import Suspicion


def empty_identity():
    """No identity looks unusual."""
    return IdentityData(Suspicions())


def full_identity():
    """A device that a shop's customers share."""
    kiosk = SuspiciousIdentity(Suspicion.SHARED, "u1", "7c9e6679f7a24f0b", "device", "member", 212, 5)
    return IdentityData(Suspicions((kiosk,), ((Suspicion.SHARED, 1),)))
