"""A project with a customer file and card forms that share no identifier, and a shop whose tills read cards."""

from datetime import UTC, datetime

from lifestage.services.match import match
from lifestage.users.resolution import resolve_users
from support.projects import MAIN, make_project
from support.pseudonyms import pseudonym
from users.identity.world import STEPS

FILE = """
path: {name}/*.csv
format: csv
columns: {{{number}: string, first_name: string, last_name: string, born: string, town: string, since: date}}
key: [{number}]
extract: delta
valid_from: since
map: {{{number}: {number}, first_name: first_name, last_name: last_name, born: born, town: town}}
identifiers: {{{number}: {kind}}}
sealed: [first_name, last_name, born]
"""
WEB = """
path: web/*.csv
format: csv
columns: {id: string, at: timestamp, card: string, phone: string}
key: [id]
identifiers: {card: card, phone: phone}
map: {event_type: "'page_view'", event_at: at, channel: "'web'"}
"""
SOURCES = {
    "web": WEB,
    "reference/members": FILE.format(name="members", number="member", kind="member"),
    "reference/cards": FILE.format(name="cards", number="card", kind="card"),
}
TYPES = "identifiers: {card: {priority: 2}}\nidentity: {limits: {card: {member: 1}}}\n"
COLUMNS = "{given: first_name, surname: last_name, born: born, town: town}"
MATCHING = f"""
matching:
  records:
    members: {{identifier: member, columns: {COLUMNS}}}
    cards: {{identifier: card, columns: {COLUMNS}}}
  comparisons: {{given: name, surname: name, born: date, town: text}}
  blocking: [[surname], [born]]
"""


class Town:
    """Members and card holders. An identifier begins with the first letter of its type."""

    def __init__(self, spark, folder, main=MAIN + TYPES + MATCHING, store=None):
        self.test = make_project(spark, folder, SOURCES, main, store)
        self.key = self.test.project.secrets.pseudonym_key
        self.names = {}
        self.n = 0

    def deliver_records(self, kind, *rows):
        """Delivers records: (identifier, first name/last name/born/town, day of March)."""
        lines = [f"{kind},first_name,last_name,born,town,since"]
        lines += [
            f"{self._register(kind, name)},{said.replace('/', ',')},2026-03-{day:02}"
            for name, said, day in rows
        ]
        self._write(f"{kind}s", lines)

    def deliver_visits(self, *rows):
        """Delivers visits: (card, phone, day of March)."""
        lines = ["id,at,card,phone"]
        lines += [
            f"{self.n}-{n},2026-03-{day:02}T12:00:00Z,{self._register('card', card)},{self._register('phone', phone)}"
            for n, (card, phone, day) in enumerate(rows)
        ]
        self._write("web", lines)

    def match(self):
        return match(self.test.project, datetime(2026, 6, 1, tzinfo=UTC))

    def run(self, day, steps=STEPS, **request):
        self.test.run(f"2026-03-{day:02}", steps=steps, **request)

    def night(self, day):
        """Ingests the files, matches records and resolves identities."""
        self.run(day, steps=("reference",))
        self.match()
        self.run(day)

    def links(self):
        """The fuzzy evidence: (one identifier, the other, score, day)."""
        rows = self.test.read("link_days").where("source = 'fuzzy'").collect()
        return sorted(
            (
                *sorted((self.names[row["a"]], self.names[row["b"]])),
                round(row["score"], 3),
                row["event_date"].day,
            )
            for row in rows
        )

    def linked_users(self):
        """The identifiers of each user with several, as one text per user."""
        users = {}
        for row in resolve_users(
            self.test.read("identity_map"), self.test.read("identity_past"), []
        ).collect():
            users.setdefault(row["user_id"], set()).add(self.names[row["identifier"]])
        return sorted(" ".join(sorted(each)) for each in users.values() if len(each) > 1)

    def _register(self, kind, name):
        if name:
            self.names[pseudonym(self.key, kind, name)] = name
        return name

    def _write(self, folder, lines):
        self.n += 1
        self.test.write(f"{folder}/{self.n:03}.csv", "\n".join(lines) + "\n")
