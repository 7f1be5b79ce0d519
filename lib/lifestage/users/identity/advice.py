"""What to do about suspicions: each with the line of YAML that settles it. No raw identifier appears, only pseudonyms."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.plurals import count_of
from lifestage.users.identity.suspicions import ANY
from lifestage.users.identity.tables import Suspicion

# The most suspicions that are listed; their number is always said.
MAX_LISTED = 10
# The most doubtful kind first.
ORDER = (Suspicion.PLACEHOLDER, Suspicion.LARGE, Suspicion.SEVERAL, Suspicion.MANY, Suspicion.SHARED)


@dataclass(frozen=True)
class SuspiciousIdentity:
    """One row of identity_suspicions."""

    kind: Suspicion
    user_id: str
    identifier: str
    """Pseudonym; the user_id for a whole user."""
    type: str | None
    counted: str
    n: int
    most: int | None

    @property
    def finding(self) -> str:
        """What is unusual."""
        if self.type is None:
            of_type = "" if self.counted == ANY else f" of type {self.counted}"
            return f"user {self.identifier} has {count_of(self.n, 'identifier')}{of_type}: is it one person?"
        who = f"{self.type} {self.identifier} was seen with {count_of(self.n, 'identifier')} of type {self.counted}"
        match self.kind:
            case Suspicion.PLACEHOLDER:
                return f"{who}: its value may be a placeholder; it counts as shared and joins nobody"
            case Suspicion.SHARED:
                return f"{who}, at most {self.most:,}: it counts as shared and joins nobody"
            case _:
                return f"{who}, and joins them: are they of one person?"

    @property
    def yaml(self) -> str:
        """The line of the main file that settles it."""
        if self.type is None:
            return "identity: {deny: [{a: PSEUDONYM, b: PSEUDONYM, because: REASON}]}"
        if self.kind is Suspicion.PLACEHOLDER:
            return f'identifiers: {{{self.type}: {{placeholders: ["VALUE"]}}}}'
        most = self.n if self.kind is Suspicion.SHARED else self.n - 1
        return f"identity: {{limits: {{{self.type}: {{{self.counted}: {most}}}}}}}"

    @property
    def advice(self) -> str:
        """When to write the line, and how to find what it needs."""
        if self.type is None:
            return f"if it is several: {self.yaml} for each wrong pair that `lifestage identity {self.user_id}` shows"
        if self.kind is Suspicion.PLACEHOLDER:
            return f"if so: {self.yaml}; `lifestage identity VALUE` shows whether a value has this pseudonym"
        condition = "if it is one person's" if self.kind is Suspicion.SHARED else "if it is several people's"
        return f"{condition}: {self.yaml}"


@dataclass(frozen=True)
class Suspicions:
    """The most doubtful identities, and how many there are of each kind."""

    listed: tuple[SuspiciousIdentity, ...] = ()
    """At most MAX_LISTED: the most doubtful kind first, then the greatest number, ties by identifier."""
    counts: tuple[tuple[Suspicion, int], ...] = ()

    @property
    def n(self) -> int:
        """How many there are."""
        return sum(n for _, n in self.counts)


def read_suspicions(rows: DataFrame) -> Suspicions:
    """How many rows of identity_suspicions there are of each kind, and the most doubtful; bounded by MAX_LISTED."""
    by_kind = {row["kind"]: row["count"] for row in rows.groupBy("kind").count().collect()}
    if not by_kind:
        return Suspicions()
    place = F.array_position(F.array(*[F.lit(str(kind)) for kind in ORDER]), F.col("kind"))
    first = rows.orderBy(place, F.desc("n"), "identifier", "counted").limit(MAX_LISTED).collect()
    listed = [
        SuspiciousIdentity(
            Suspicion(row["kind"]),
            row["user_id"],
            row["identifier"],
            row["type"],
            row["counted"],
            row["n"],
            row["most"],
        )
        for row in first
    ]
    return Suspicions(tuple(listed), tuple((kind, by_kind[kind]) for kind in ORDER if kind in by_kind))


def list_counts(counts: Sequence[tuple[Suspicion, int]]) -> str:
    """How many there are of each kind."""
    return ", ".join(f"{n:,} {kind}" for kind, n in counts)
