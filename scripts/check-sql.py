#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""check-sql.py [KMEMTRACE]: run each query of docs/sql.md on recorded captures, and compare the answers with the report's
JSON, and with what is known of the captures: tests/fixtures/incidents/README.md says what was planted in each."""
import gzip
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
FIXTURES = os.path.join(ROOT, "tests", "fixtures")
KMEMTRACE = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build", "kmemtrace"))


def queries():
    """The code of the page: {"": the view, "python": …, "1": the query of section 1, …}."""
    found, section = {}, ""
    with open(os.path.join(ROOT, "docs", "sql.md"), encoding="utf-8") as page:
        text = page.read()
    for title, language, code in re.findall(r"^## ([^\n]*)$|^```(\w*)\n(.*?)^```$", text, re.M | re.S):
        if title:
            section = title.split(".")[0]
        elif language == "sql":
            assert section not in found, f"section {section} has two queries"
            found[section] = code
        elif language == "python":
            found["python"] = code
    return found


def unpack(name, directory):
    for folder in ("incidents", "captures"):
        path = os.path.join(FIXTURES, folder, name + ".kmt.gz")
        if os.path.exists(path):
            with gzip.open(path) as packed, open(os.path.join(directory, name + ".kmt"), "wb") as out:
                out.write(packed.read())
            return os.path.join(directory, name + ".kmt")
    raise FileNotFoundError(name)


class Capture:
    """A capture, its report, and the queries of the page."""

    def __init__(self, name, directory, page):
        self.path = unpack(name, directory)
        self.page = page
        self.db = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
        self.db.row_factory = sqlite3.Row
        self.db.execute(page[""])
        self.report = json.loads(subprocess.check_output([KMEMTRACE, "report", "--format", "json", "--top", "0", self.path]))

    def ask(self, section):
        """The rows of the query of a section; it may begin with an ATTACH."""
        *before, query = [q for q in self.page[section].split(";") if q.strip()]
        for statement in before:
            self.db.execute(statement)
        rows = self.db.execute(query).fetchall()
        assert rows, f"query {section} finds nothing in {self.path}"
        return rows

    def pool(self, name):
        return next(p for p in self.report["pools"] if p["name"] == name)

    def traced(self, **want):
        """Bytes of growth as they were traced."""
        return sum(g["traced_bytes"] for g in self.report["growth"] if all(g[k] == v for k, v in want.items()))


def close(a, b, slack):
    assert abs(a - b) <= slack, f"{a} is not {b} ± {slack}"


def check_held(c):
    close(c.db.execute("SELECT sum(bytes) FROM now").fetchone()[0], c.traced(), len(c.report["growth"]))


def check_ages(c):
    """Objects of all ages, one in each bucket, in a copy: the captures are too short to have them."""
    copy = sqlite3.connect(":memory:")
    c.db.backup(copy)
    copy.execute(c.page[""])
    copy.execute("UPDATE held SET objects = 16, " + ", ".join(f"age_{b} = 1" for b in range(16)))
    for row in copy.execute(c.page["6"]):
        assert row[3:7] == (19, 19, 19, 44), row


def check_messages(c, boots):
    row = c.ask("1")[0]
    assert row["name"] == "Slab"
    close(row["change_mib"], c.pool("Slab")["delta_kb"] / 1024, 0.06)
    row = c.ask("2")[0]
    assert row["name"].startswith("msg_msg") and row["traced_mib"] > 0.8 * row["grown_mib"], dict(row)
    row = c.ask("3")[0]
    assert row["comm"] == "order-bridge" and row["tgid"] == 25837 and row["percent"] > 50, dict(row)
    row = c.ask("4")[0]
    top = c.report["growth"][0]
    assert row["path"] == " < ".join(top["stack"]) and row["what"] == top["cache"], dict(row)
    close(row["mib"], top["traced_bytes"] / 1048576, 0.06)
    row = c.ask("6")[0]
    assert row["what"].startswith("msg_msg"), dict(row)
    close(sum(row[k] for k in ("under_4_s", "under_32_s", "under_256_s", "older")), 100, 2)
    close(row["oldest_s"], top["age_oldest_s"], 2)
    check_ages(c)
    rows = c.ask("7")
    assert rows[0]["change_kb"] > 0 and re.match(r"20\d\d-\d\d-\d\d \d\d:", rows[0]["utc"]), dict(rows[0])
    row = c.ask("8")[0]
    losses = c.report["capture"]["losses"]
    assert row["mode"] == "sampled" and row["complete"] == "1", dict(row)
    lost = ("recursion_misses", "not_watched", "live_table_full", "nested_too_deep", "skipped_cpu", "table_row_locked")
    assert row["lost_events"] == sum(losses.get(name, 0) for name in lost), dict(row)
    close(row["held_mib"], c.traced() / 1048576, 0.06)
    assert 0 < row["plus_minus_mib"] < row["held_mib"] and 90 <= row["live_percent"] <= 100, dict(row)


def check_cgroup(c, boots):
    rows = c.ask("5")
    held = {}
    for g in c.report["growth"]:
        share = g["traced_bytes"] / g["bytes"] if g["bytes"] else 0
        for row in g["cgroups"]:
            held[row["path"] or "(unknown)"] = held.get(row["path"] or "(unknown)", 0) + row["bytes"] * share
    largest = max(held, key=held.get)
    assert rows[0]["cgroup"] == largest, (dict(rows[0]), largest)
    close(rows[0]["mib"], held[largest] / 1048576, 0.1)


def check_tasks(c):
    """Each row of the query about threads is the report's sum over processes of that name."""
    rows = c.ask("9")
    for row in rows:
        processes = [p for p in c.report["levels"]["processes"] if p["comm"] == row["comm"]]
        assert row["threads"] == sum(p["end_threads"] for p in processes), dict(row)
        assert row["more_threads"] == sum(p["end_threads"] - p["start_threads"] for p in processes), dict(row)
        close(row["more_stacks_mib"], sum(p["end_stack_kb"] - p["start_stack_kb"] for p in processes) / 1024, 0.06)
        close(row["more_tables_mib"], sum(p["end_page_tables_kb"] - p["start_page_tables_kb"] for p in processes) / 1024, 0.06)
    return rows


def check_threads(c, boots):
    row = check_tasks(c)[0]
    assert row["comm"] == "report-worker" and row["more_threads"] > 100 and row["more_stacks_mib"] > 1, dict(row)


def check_page_tables(c, boots):
    row = check_tasks(c)[0]
    assert row["comm"] == "db-backend" and row["more_tables_mib"] > 1, dict(row)


def check_boots(c, boots):
    c.page = dict(c.page, **{"10": c.page["10"].replace("before.kmt", boots)})
    check_tasks(c)
    row = c.ask("10")[0]
    assert row["function"] == "load_msg" and row["change"] > 0, dict(row)
    close(row["bytes"], sum(g["traced_bytes"] for g in c.report["growth"]
                            if g["stack"] and g["stack"][0].startswith("load_msg+") and g["cache"] == row["what"]), 2)


CHECKS = {
    "messages": check_messages, "cgroup": check_cgroup, "threads": check_threads, "pagetables": check_page_tables,
    "6.12-boot2": check_boots,
}


def check_python(page, path):
    """The example in Python prints five lines of /proc/meminfo."""
    code = page["python"].replace("now.kmt", path)
    lines = subprocess.check_output([sys.executable, "-c", code], text=True).splitlines()
    assert len(lines) == 5 and lines[0].split()[0] in ("VmallocTotal", "MemTotal", "DirectMap4k", "DirectMap2M"), lines


def main():
    page = queries()
    assert sorted(page) == sorted(["", "python"] + [str(n) for n in range(1, 11)]), sorted(page)
    asked = set()
    with tempfile.TemporaryDirectory() as directory:
        boots = unpack("6.12-boot1", directory)
        for name, check in CHECKS.items():
            c = Capture(name, directory, page)
            check_held(c)
            ask = c.ask
            c.ask = lambda section, ask=ask: asked.add(section) or ask(section)
            check(c, boots)
        check_python(page, os.path.join(directory, "messages.kmt"))
    assert len(asked) == 10, f"only {sorted(asked)} were asked"


main()
