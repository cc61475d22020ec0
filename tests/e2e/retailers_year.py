"""A retailer who does what docs/retailers-year.md says, beside a plain model of its books.

Owns how the guide's files, commands and requests are made for many customers, and what is known of
them; what happens in the year is the test's.
"""

import asyncio
import random
import re
from collections import defaultdict
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime
from decimal import Decimal

import httpx
from typer.testing import CliRunner

from e2e.installation import empty_gridtally
from faults.polling import until
from gridtally.cli.app import app
from gridtally.cli.data_files.references import References
from gridtally.cli.installation import settings_of
from gridtally.local_stack.installation import LOCAL_TENANT
from naive.supplies import Load, Series, Supply

LIMIT_S = 400.0
FIRST, MOVED_IN = 1001, 2011
STARTED = range(FIRST, FIRST + 180)
HOURLY = range(1177, 1181)
MOVERS = range(1011, 1031)
OF_2025 = re.compile(r"\b[12]\d{3}\b(?!-)")
"""A number of a customer in a file; no year of a date."""
WINTER = (12, 11, 10, 8, 7, 6, 6, 6, 7, 9, 10, 12)
"""What is used in an hour of each month, in tenths of what is used on average."""
HOURS = 365 * 24
ZERO = Decimal(0)


class Year:
    """The installation, and the model of what every customer is billed, has paid and owes."""

    def __init__(self, running, api, folder):
        installation = running.installation
        self.api, self.folder = api, folder
        self.settings = settings_of(installation)
        headers = {"Authorization": f"Bearer {installation.api_key}"}
        self.http = {
            service: httpx.AsyncClient(base_url=url, headers=headers, timeout=120)
            for service, url in installation.urls.items()
        }
        self.references = References(LOCAL_TENANT, None)
        self.used = []
        self.plans, self.tariff_ids = {}, {}
        chosen = random.Random(5)
        self.loads = {n: _load(n) for n in STARTED if n not in HOURLY} | {
            n: Series(tuple(chosen.randrange(50, 3000) for _ in range(HOURS))) for n in HOURLY
        }
        self.starts = {n: Decimal(20 * n) + Decimal("80.5") for n in STARTED}
        self.supplies = [
            Supply(n, self.loads[n], "nights" if n in HOURLY else "household", date(2025, 1, 1))
            for n in STARTED
        ]
        self.booked, self.deposits = defaultdict(Decimal), defaultdict(Decimal)
        self.credited_lines = defaultdict(Decimal)

    def id_of(self, kind, reference):
        return str(self.references.id_of(kind, reference))

    def customer(self, number):
        return self.id_of("customer", f"C-{number}")

    def meter(self, number):
        return self.id_of("meter", f"M-{number}")

    def agreement(self, number):
        return self.id_of("agreement", f"A-{number}")

    # What the guide shows

    async def ask(self, request, **names):
        """Make a request of the guide with these values for its names; its JSON."""
        return await self.send(request, request.body_with(names), **names)

    async def send(self, request, body, **names):
        """Make a request of the guide with a body of one's own."""
        self.used.append(request)
        http, path = self.http[request.service], request.path_with(names)
        headers = {}
        if request.if_match:
            there = await http.get(path.removesuffix("/rebilling"))
            headers["If-Match"] = there.headers["ETag"]
        answer = await http.request(
            request.method, path, headers=headers, **({} if body is None else {"json": body})
        )
        assert answer.is_success, (request, answer.text)
        return answer.json() if answer.content else None

    def write(self, section, name, numbers, kwh=None):
        """A file of the guide, with its customer's rows for all of these numbers; of readings what
        each register shows, by the model unless `kwh` says otherwise."""
        self.used.append((section.title, name))
        header, *rows = section.files[name].splitlines()
        shown = int(OF_2025.search(rows[0])[0])
        columns = header.split(",")
        written = [header]
        for number in numbers:
            for row in rows:
                own = OF_2025.sub(lambda old: str(int(old[0]) + number - shown), row)  # noqa: B023
                if "kwh" in columns:
                    own = self._reading(own, number, kwh or {})
                    assert number != shown or own == row, f"the guide says {row}, it is {own}"
                written.append(own)
        (self.folder / name).write_text("\n".join(written) + "\n")

    def _reading(self, row, number, kwh):
        meter, read_at, _ = row.split(",")
        at = datetime.fromisoformat(read_at).astimezone(UTC)
        wrong = kwh.get((number, read_at), ZERO)
        return f"{meter},{read_at},{self.register(number, at) + wrong:.3f}"

    def register(self, number, at):
        return self.loads[number].register(self.starts[number], at)

    async def run(self, section, index, **names):
        """Run a command of the guide until it succeeds: what is not known yet will be."""
        self.used.append((section.title, index))
        words = [self._word(word, names) for word in section.commands[index]]
        ran = None

        async def succeeds():
            nonlocal ran
            ran = await asyncio.to_thread(CliRunner().invoke, app, words, env=self.settings)
            assert ran.exit_code in (0, 1), ran.output
            return ran.exit_code == 0

        try:
            await until(" ".join(words), succeeds, limit_s=LIMIT_S)
        except TimeoutError:
            raise AssertionError(ran.output) from None

    def _word(self, word, names):
        """A word of a command: what a name stands for, and a file where the year's are."""
        if word.startswith("$"):
            return str(names[word[1:].lower()])
        return str(self.folder / word) if word.endswith((".csv", ".pdf")) else word

    # The model

    def bills(self, end_on):
        """What every supply was billed of months that end by a day: customer, period, lines."""
        return [
            (supply.customer, period, lines)
            for supply in self.supplies
            for period, lines in supply.bills(self.plans).items()
            if period.end_on <= end_on
        ]

    def invoices(self, end_on):
        return sorted(
            (number, period.start_on.isoformat(), period.end_on.isoformat(), total_of(lines))
            for number, period, lines in self.bills(end_on)
        )

    def owed(self, end_on):
        """What each customer owes, by number; a credit is negative."""
        owed = defaultdict(Decimal, self.booked)
        for number, _, lines in self.bills(end_on):
            owed[number] += total_of(lines)
        return owed

    def owed_to_payees(self, end_on):
        """By component what its lines come to, less what was credited of them by hand."""
        owed = defaultdict(Decimal)
        for _, _, lines in self.bills(end_on):
            for (component, _), amount in lines:
                owed[component] += amount
        return {
            component: amount - self.credited_lines[component] for component, amount in owed.items()
        }

    def change(self, number, **fields):
        """Have the latest supply of a customer be otherwise, in place."""
        index = max(i for i, own in enumerate(self.supplies) if own.customer == number)
        supply = self.supplies[index]
        self.supplies[index] = Supply(**(vars_of(supply) | fields))
        return supply

    async def billed(self, end_on):
        """Wait until what is live, and booked, of all invoices comes to what the model says."""
        expected = sum((total for *_, total in self.invoices(end_on)), ZERO)

        async def are_booked():
            for service, name in (("billing", "live_total"), ("ledger", "receivable")):
                figures = await self.api.get(service, "/v1/reconciliation")
                found = [Decimal(own[name]) for own in figures["currencies"]]
                if found != [expected]:
                    await asyncio.sleep(1)
                    return False
            return True

        with suppress(TimeoutError):  # which invoices differ says more
            await until("all is billed", are_booked, limit_s=LIMIT_S)
        assert await self.live() == self.invoices(end_on)

    async def live(self):
        numbers = self.numbers()
        return sorted(
            [
                (numbers[own["customer_id"]], own["start_on"], own["end_on"], Decimal(own["total"]))
                async for own in self.api.items("billing", "/v1/invoices", state="issued")
            ]
        )

    def numbers(self):
        """Customers' numbers by their ids."""
        return {self.customer(n): n for n in (*STARTED, *range(MOVED_IN, MOVED_IN + len(MOVERS)))}


def _load(number):
    base = 10 * (2 + number * 7 % 9)
    return Load(tuple(base * month for month in WINTER))


def vars_of(supply):
    return {name: getattr(supply, name) for name in supply.__dataclass_fields__}


def total_of(lines):
    return sum((amount for _, amount in lines), ZERO)


@asynccontextmanager
async def empty_year(servers, folder):
    """A retailer at the beginning of the year, on an empty Gridtally."""
    async with empty_gridtally(servers) as running, running.installation.as_tenant() as api:
        year = Year(running, api, folder)
        try:
            yield year
        finally:
            for http in year.http.values():
                await http.aclose()
