"""A project with a web shop and a customer file, and runs on it."""

from datetime import date

from pyspark.sql import functions as F

from lifestage.users.resolution import resolve_users
from support.projects import MAIN, make_project
from support.pseudonyms import pseudonym

STEPS = ("reference", "ingest", "identity")
WEB = """
path: web/*.csv
format: csv
columns: {id: string, version: int, deleted: boolean, at: timestamp, cookie: string, member: string, device: string,
          kind: string, amount: "decimal(18,2)"}
key: [id]
version: version
delete_when: deleted
identifiers: {cookie: cookie, member: member, device: device}
map: {event_type: "coalesce(kind, 'page_view')", event_at: at, channel: "'web'", amount: amount}
gate: 0
"""
PROFILES = """
path: profiles/*.csv
format: csv
columns: {member: string, phone: string, since: date}
key: [member]
extract: delta
valid_from: since
map: {member: member, phone: phone, since: since}
types: {since: date}
identifiers: {member: member, phone: phone}
"""
# A cookie joins members here, so that people merge and split.
LIMITS = "identity: {limits: {cookie: {member: 5}, device: {member: 2}, phone: {member: 1}}}\n"


class World:
    """A web shop and its customer file. Results name identifiers as the files do."""

    def __init__(self, spark, folder, main=MAIN + LIMITS, **files):
        sources = {"web": WEB, "reference/profiles": PROFILES}
        self.test = make_project(spark, folder, sources, main, **files)
        self.key = self.test.project.secrets.pseudonym_key
        self.names = {}
        self.n = 0

    def deliver_events(self, *rows, name=None):
        """Delivers a file of page views: (id, day, identifiers by type, version, deleted).

        `kind` and `amount` among the identifiers set the columns of that name.
        """
        lines = ["id,version,deleted,at,cookie,member,device,kind,amount"]
        for event, day, named, *rest in rows:
            version, deleted = (*rest, 1, False)[:2] if len(rest) < 2 else rest
            columns = [self._register(kind, named.get(kind, "")) for kind in ("cookie", "member", "device")]
            columns += [str(named.get(name, "")) for name in ("kind", "amount")]
            lines.append(f"{event},{version},{deleted},2026-03-{day:02}T12:00:00Z,{','.join(columns)}")
        self.n += 1
        self.test.write(f"web/{name or f'{self.n:03}'}.csv", "\n".join(lines) + "\n")

    def deliver_profiles(self, *rows):
        """Delivers a customer file: (member, phone, day)."""
        lines = ["member,phone,since"]
        lines += [
            f"{self._register('member', member)},{self._register('phone', phone)},2026-03-{day:02}"
            for member, phone, day in rows
        ]
        self.n += 1
        self.test.write(f"profiles/{self.n:03}.csv", "\n".join(lines) + "\n")

    def run(self, *days, **request):
        self.test.run(",".join(f"2026-03-{day:02}" for day in days), **{"steps": STEPS, **request})

    @staticmethod
    def day(number):
        return date(2026, 3, number)

    def groups(self):
        """Identifier to (all identifiers of its user, status), as of the newest date."""
        return self._group(self.test.read("identity_map"))

    def groups_on(self, day):
        """The same as of a date that was built."""
        users = resolve_users(
            self.test.read("identity_map"), self.test.read("identity_past"), [self.day(day)]
        )
        return self._group(users.where(F.col("only_on").isNull() | (F.col("only_on") == self.day(day))))

    def _group(self, frame):
        rows = frame.collect()
        by_user = {}
        for row in rows:
            by_user.setdefault(row["user_id"], set()).add(self.names[row["identifier"]])
        return {
            self.names[row["identifier"]]: ("".join(sorted(by_user[row["user_id"]])), row["status"])
            for row in rows
        }

    def _register(self, kind, name):
        if name:
            self.names[pseudonym(self.key, kind, name)] = name
        return name
