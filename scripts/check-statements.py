#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""check-statements.py REPORT.json DIR CAPTURE     Do the kernel's counters contradict what the report says?

DIR holds readings that were taken beside the recording, by another program: SECONDS.meminfo, .slabinfo, .zoneinfo and
.loadavg, named for the time of the reading in seconds since the epoch. CAPTURE says when the recorder read the levels. Prints each statement about growth,
deadlines or leaks with what was read, and exits with status 1 if any is contradicted.
check-statements.py --self-test                    Does this script find false statements?
"""
import contextlib
import json
import pathlib
import re
import sqlite3
import sys
import tempfile

POOLS = ("Slab", "VmallocUsed", "KernelStack", "PageTables", "SecPageTables", "Percpu")
LISTED = ("MemFree", "AnonPages", "Cached", "Buffers", "SwapCached", "Slab", "VmallocUsed", "PageTables", "SecPageTables",
          "Percpu")  # of MemTotal; what no line has is Unaccounted
UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
SIZE = r"([0-9.]+) (B|KiB|MiB|GiB|TiB)"
NEAR_S = 0.35  # readings this close to a moment count for it: its level lies between the lowest and the highest
SLACK = 1 << 20  # bytes that may come or go between the recorder's reading and ours, and a twentieth of what is said
PAGE = 4096


def size(number, unit):
    return float(number) * UNITS[unit]


class Readings:
    """What was read beside the recording, in bytes and objects."""

    def __init__(self, folder):
        self.rows = []
        for path in sorted(pathlib.Path(folder).glob("*.meminfo")):
            stem = path.name[:-len(".meminfo")]
            row = {}
            for line in path.read_text(encoding="ascii").splitlines():
                name, value = line.split(":")
                row[name] = int(value.split()[0]) * 1024
            for line in self.lines(path.with_name(stem + ".slabinfo"))[2:]:
                word = line.split()
                row["pages of " + word[0]] = int(word[5]) * int(word[14]) * PAGE
                row["objects of " + word[0]] = int(word[1])
            for line in self.lines(path.with_name(stem + ".loadavg")):
                row["threads"] = int(line.split()[3].split("/")[1])
            lists = [int(line.split()[1]) for line in self.lines(path.with_name(stem + ".zoneinfo")) if "count:" in line]
            if lists and "MemTotal" in row:
                row["Unaccounted"] = row["MemTotal"] - sum(row.get(n, 0) for n in LISTED) - sum(lists) * PAGE
            self.rows.append((float(stem), row))
        if not self.rows:
            sys.exit(f"check-statements.py: no reading in {folder}")

    @staticmethod
    def lines(path):
        return path.read_text(encoding="ascii").splitlines() if path.exists() else []

    def range(self, name, at_s):
        """The lowest and highest value around at_s; None where the kernel does not have it."""
        nearest = min(abs(t - at_s) for t, _ in self.rows)
        values = [row[name] for t, row in self.rows if abs(t - at_s) <= max(NEAR_S, nearest) and name in row]
        return (min(values), max(values)) if values else None

    def change(self, name, start_s, end_s):
        """The least and most that it can have changed from start to end."""
        start, end = self.range(name, start_s), self.range(name, end_s)
        return (end[0] - start[1], end[1] - start[0]) if start and end else None


class Check:
    """One report beside the readings."""

    def __init__(self, report, readings, start_s, end_s):
        self.report, self.readings = report, readings
        self.start_s, self.end_s = start_s, end_s
        self.duration_s = end_s - start_s
        self.said, self.false = 0, []

    def judge(self, what, true, read):
        self.said += 1
        print(f"{'true ' if true else 'FALSE'} {what}  [{read}]")
        if not true:
            self.false.append(what)

    def change(self, name):
        return self.readings.change(name, self.start_s, self.end_s)

    def changed_by(self, what, name, said):
        read = self.change(name)
        if read:
            slack = (4 if name == "Unaccounted" else 1) * SLACK + abs(said) / 20
            self.judge(what, read[0] - slack <= said <= read[1] + slack,
                       f"{name} changed by {read[0] / 1024:.0f} to {read[1] / 1024:.0f} KiB")

    def sentence(self, text):
        sign = 1 if "these pools grew:" in text else -1 if "shrank by" in text else 0
        for pool, *by in re.findall(rf"(\w+)(?: shrank)? by {SIZE} \(", text) if sign else []:
            if pool in POOLS or pool == "Unaccounted":
                self.changed_by(text, pool, sign * size(*by))
        for cache, *by in re.findall(rf"within Slab, (\S+) grew by {SIZE}", text):
            self.changed_by(text, "pages of " + cache, size(*by))
        for name in re.findall(r"^(\S+) was still growing at the end", text):
            read = self.change(name if name in POOLS or name == "Unaccounted" else "pages of " + name)
            if read:
                self.judge(text, read[1] > 0, f"changed by at most {read[1] / 1024:.0f} KiB")
        for nr, cache in re.findall(r"^About ([0-9,]+) objects of (\S+) .* without an event", text):
            read, said = self.change("objects of " + cache), int(nr.replace(",", ""))
            if read:
                self.judge(text, read[1] >= 0.9 * said - 64, f"{read[1]} objects more")
        for nr, cache in re.findall(r"^The (?:second )?largest part, .*, ([0-9,]+) objects? of (\S+)\), was", text):
            there, said = self.readings.range("objects of " + cache, self.end_s), int(nr.replace(",", ""))
            if there:
                self.judge(text, said <= 1.1 * there[1] + 64, f"{there[1]} objects in all")
        if text.startswith("Nothing grew beyond noise"):
            grown = {p: self.change(p) for p in POOLS}
            worst = {p: r[0] for p, r in grown.items() if r and r[0] > max(8 * SLACK, 0.05 * self.readings.range(
                p, self.end_s)[1])}
            self.judge(text, not worst, f"grew by more than a twentieth: {worst or 'none'}")

    def deadlines(self):
        outlook = self.report["outlook"]
        for row in outlook["exhausted_in"]:
            read = self.change("MemAvailable")
            said = row["kb_per_s"] * 1024 * self.duration_s
            self.judge(f"{row['name']} lasts {row['seconds']:.0f} s, falling by {row['kb_per_s']} KiB/s",
                       -read[0] >= said / 2, f"it fell by at most {-read[0] / 1024:.0f} KiB, not {said / 1024:.0f}")
        for row in outlook["limits_reached_in"]:
            read = self.change("threads") if row["of"] == "threads" else None
            if read:
                self.judge(f"{row['name']} is reached in {row['seconds']:.0f} s",
                           read[1] >= row["per_s"] * self.duration_s / 2, f"{read[1]} threads more")

    def all(self, leak_allowed):
        for text in self.report["verdict"]["sentences"]:
            self.sentence(text)
        self.deadlines()
        if self.report["verdict"]["leak"] and not leak_allowed:
            self.judge("it looks like a leak", False, "nothing here leaks")
        return self.false


def self_test():
    """Statements that the readings contradict, one at a time, and the same ones made true."""
    template = {"verdict": {"leak": False},
                "outlook": {"exhausted_in": [], "limits_reached_in": []}}
    base = 1000000000
    sentences = [
        ("In 10 s, these pools grew: Slab by 10.0 MiB (1.0 MiB to 11.0 MiB).", True),
        ("In 10 s, these pools grew: Slab by 30.0 MiB (1.0 MiB to 31.0 MiB).", False),
        ("PageTables shrank by 9.0 MiB (9.0 MiB to 0 B).", False),
        ("Nothing grew beyond noise in 10 s.", False),
        ("big was still growing at the end, at 1.0 MiB/s.", True),
        ("flat was still growing at the end, at 1.0 MiB/s.", False),
        ("About 50,000 objects of flat (4.8 MiB) were allocated without an event, most likely in bulk.", False),
        ("About 2,000 objects of big (4.8 MiB) were allocated without an event, most likely in bulk.", True),
        ("The largest part, 1.0 MiB (64% of held memory, 9,000 objects of flat), was allocated at f+0x1.", False),
    ]
    with tempfile.TemporaryDirectory() as folder:
        for second, grown in ((0, 0), (10, 1)):
            stem = pathlib.Path(folder) / f"{base + second}"
            lines = [f"{p}: {10240 if p != 'Slab' else 102400 + 10240 * grown} kB" for p in POOLS]
            lines.append(f"MemAvailable: {1000000 - 100 * grown} kB")
            stem.with_name(stem.name + ".meminfo").write_text("\n".join(lines))
            slab = [f"{n} {c} {c} 100 40 1 : tunables 0 0 0 : slabdata {c // 40} {c // 40} 0"
                    for n, c in (("big", 4000 + 2500 * grown), ("flat", 4000))]
            stem.with_name(stem.name + ".slabinfo").write_text("\n".join(["v", "#"] + slab))
        readings = Readings(folder)
        for text, true in sentences:
            check = Check({**template, "verdict": {"leak": False, "sentences": [text]}}, readings, base, base + 10)
            if bool(check.all(False)) == true or not check.said:
                sys.exit(f"check-statements.py: judged wrongly: {text}")
        row = {"name": "MemAvailable", "kb_per_s": 1000, "seconds": 1000}
        check = Check({**template, "verdict": {"leak": True, "sentences": []},
                       "outlook": {"exhausted_in": [row], "limits_reached_in": []}}, readings, base, base + 10)
        if len(check.all(False)) != 2:
            sys.exit("check-statements.py: a false deadline or leak was not found")
    print(f"check-statements.py: {len(sentences) + 2} statements judged rightly")


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    with contextlib.closing(sqlite3.connect(f"file:{sys.argv[3]}?mode=ro", uri=True)) as capture:
        start_s, end_s = (capture.execute("SELECT wall_s FROM snapshot WHERE kind = ?", (kind,)).fetchone()[0]
                          for kind in ("start", "end"))
    check = Check(json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")), Readings(sys.argv[2]), start_s, end_s)
    false = check.all(False)
    print(f"{check.said} statements, {len(false)} contradicted")
    return 1 if false else 0


sys.exit(main())
