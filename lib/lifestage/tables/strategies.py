"""What to do with the users of a stage, tier or audience, as configured beside its definition."""

from lifestage.core.models import Model


class Strategy(Model):
    """Who looks after a group of users, where, with which message and benefits; kept in snapshots and exports."""

    touchpoints: tuple[str, ...] = ()
    benefits: str = ""
    message: str = ""
    owner: str = ""
