#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""captures.py DIR: the captures that the tests of HTML pages open, made from the recorded ones of tests/fixtures:
incident (a minute in which three services take memory), recorded, base, hostile (every name is an attack) and large
(20,000 call paths)."""
import gzip
import os
import shutil
import sqlite3
import sys

FIXTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures")
ATTACKS = [
    "</script><script>window.pwned=1</script>",
    "\"><img src=x onerror=window.pwned=1>",
    "'-window.pwned=1-'",
    "<!--<script>",
    "\u202egnp.exe\u2066",
    "\u0645\u0631\u062d\u0628\u0627 1 2",
    "x\x1b[31m\x07y",
    "javascript:window.pwned=1",
    "__proto__",
    "constructor",
    "]]>&lt;&amp;",
    "$&`${window.pwned=1}",
]
LONG, NAME = 64 << 10, 4096  # the longest that the reader takes: of command lines and facts, and of names


def unpack(name, path):
    with gzip.open(os.path.join(FIXTURES, name)) as source, open(path, "wb") as target:
        shutil.copyfileobj(source, target)


def attack(i, size=0):
    name = ATTACKS[i % len(ATTACKS)] + f" {i}"
    return name * ((size - 1) // len(name.encode())) if size else name


def hostile(db):
    """Replace every name; ids stay."""
    def each(table, column, size=0, key="id"):
        for n, (row,) in enumerate(db.execute(f"SELECT {key} FROM {table} ORDER BY 1").fetchall()):
            db.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (attack(n, size if n % 5 == 0 else 0), row))

    each("process", "comm")
    each("process", "cmdline", LONG)
    each("cgroup", "path", NAME)
    each("frame", "symbol", NAME)
    each("frame", "module", key="rowid")
    # a cache keeps its name in slabinfo
    for n, (name,) in enumerate(db.execute("SELECT DISTINCT name FROM cache").fetchall()):
        db.execute("UPDATE slab_name SET name = ? WHERE name = ?", (attack(n), name))
        db.execute("UPDATE cache SET name = ? WHERE name = ?", (attack(n), name))
    for n, (row,) in enumerate(db.execute("SELECT id FROM task_name").fetchall()):
        db.execute("UPDATE task_name SET comm = ? WHERE id = ?", (attack(n).encode()[:15].decode(errors="ignore"), row))
    each("loss", "name", key="rowid")
    each("hook", "name", key="rowid")
    each("hook", "reason", key="rowid")
    for key in ("host", "kernel_release", "command", "virtualization"):
        db.execute("UPDATE meta SET value = ? WHERE key = ?", (attack(1, LONG), key))


def large(db, paths):
    """`paths` more call paths of twelve frames. They come one after the other, and hold more at each checkpoint."""
    frame = db.execute("SELECT max(id) FROM frame").fetchone()[0]
    stack = db.execute("SELECT max(id) FROM stack").fetchone()[0]
    caches = [row[0] for row in db.execute("SELECT id FROM cache")]
    processes = [row[0] for row in db.execute("SELECT id FROM process")]
    db.executemany("INSERT INTO frame VALUES (?, ?, ?, ?, '')",
                   ((frame + 1 + i, f"subsystem_{i}_allocate_object", 16 + i, "vmlinux" if i % 7 else f"module{i % 50}")
                    for i in range(5000)))
    db.executemany("INSERT INTO stack VALUES (?, 0)", ((stack + 1 + i,) for i in range(paths)))
    db.executemany("INSERT INTO stack_frame VALUES (?, ?, ?)",
                   ((stack + 1 + i, depth, frame + 1 + (i // 3 ** (11 - depth) * 31 + depth * 97) % 5000)
                    for i in range(paths) for depth in range(12)))
    columns = len(db.execute("SELECT * FROM held LIMIT 1").fetchone())
    for interval, in db.execute("SELECT id FROM interval").fetchall():
        db.executemany(f"INSERT INTO held VALUES ({','.join('?' * columns)})",
                       ([interval, "slab", "", caches[i % len(caches)], stack + 1 + i, processes[i % len(processes)], 4, 4.0,
                         256.0 * (1 + i % 1000) * interval, 0.0, 5.0, 0, 0, 0] + [4.0] + [0.0] * 15
                        for i in range(paths) if i % 30 < interval))


def change(path, how, *args):
    db = sqlite3.connect(path)
    how(db, *args)
    db.commit()
    db.execute("VACUUM")
    db.close()


def main(directory):
    for name, source in (("recorded", "captures/6.18"), ("base", "captures/6.12-boot1"), ("incident", "web/incident"),
                         ("hostile", "web/incident"), ("large", "web/incident")):
        unpack(f"{source}.kmt.gz", os.path.join(directory, f"{name}.kmt"))
    change(os.path.join(directory, "hostile.kmt"), hostile)
    change(os.path.join(directory, "large.kmt"), large, 20000)


main(sys.argv[1])
