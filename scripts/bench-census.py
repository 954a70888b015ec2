#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Measures the census on this machine. Needs root, and a quiet machine; it changes nothing.

bench-census.py latency [ROUNDS]
    How late does a task that wakes up every millisecond on each CPU run, before all others on its CPU,
    during censuses, while a program computes, and without either? Rounds of 4 s alternate.
bench-census.py frame [ROUNDS]
    Time of one CPU for a page frame, of censuses of all memory; without lenses and kinds.

Whether the intervals of samples hold is measured by tests/live/test_census_intervals_hold.c.

KMEMTRACE: the program (build/kmemtrace).
"""
import gc
import json
import os
import statistics
import subprocess
import sys
import time

PROGRAM = os.environ.get("KMEMTRACE", "build/kmemtrace")
WHOLE = "60s"
ROUND_S = 4


def census(budget):
    """One census as JSON."""
    out = subprocess.run([PROGRAM, "census", "--format", "json", "--census-budget", budget], check=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(out.stdout)["census"]


def scan_s(c):
    """CPU time of the scan alone: without lenses."""
    return c["cpu_s"] - c["lenses"]["cpu_s"]


def lateness(cpu, pipe):
    """Wake up each millisecond until ROUND_S is over, and write how late that was, in µs."""
    gc.disable()
    os.sched_setaffinity(0, {cpu})
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    late, at = [], time.monotonic_ns()
    end = at + ROUND_S * 10**9
    while at < end:
        at += 10**6
        time.sleep(max(at - time.monotonic_ns(), 0) / 1e9)
        late.append((time.monotonic_ns() - at) / 1000)
        if late[-1] > 1000:  # it missed wake-ups: each of them counts once
            at = time.monotonic_ns()
    os.write(pipe, json.dumps(late).encode())
    os._exit(0)


def spin():
    """What a program does that only computes, at the same priority."""
    os.nice(19)
    end = time.monotonic() + ROUND_S - 1
    while time.monotonic() < end:
        pass
    os._exit(0)


def watched(load):
    """Lateness on all CPUs during a round, in which `load` is run."""
    readers = []
    for cpu in sorted(os.sched_getaffinity(0)):
        r, w = os.pipe()
        pid = os.fork()
        if not pid:
            lateness(cpu, w)
        os.close(w)
        readers.append((pid, r))
    load()
    late = []
    for pid, r in readers:
        with os.fdopen(r) as f:
            late += json.load(f)
        os.waitpid(pid, 0)
    late.sort()
    return late[int(len(late) * 0.999)], late[-1]


def compute():
    pid = os.fork()
    if not pid:
        spin()
    os.waitpid(pid, 0)


def censuses():
    end = time.monotonic() + ROUND_S - 2
    while time.monotonic() < end:
        census(WHOLE)


def latency(rounds=6):
    loads = {"nothing": lambda: None, "computing": compute, "censuses": censuses}
    rows = {name: [] for name in loads}
    for _ in range(rounds):
        for name, load in loads.items():
            rows[name].append(watched(load))
    for name, row in rows.items():
        p999, most = zip(*row)
        print(f"{name:9} p99.9 µs: {', '.join(f'{v:.0f}' for v in p999)} (median {statistics.median(p999):.0f})\n"
              f"{'':9} max µs:   {', '.join(f'{v:.0f}' for v in most)} (median {statistics.median(most):.0f})")


def frame(rounds=10):
    taken = [census(WHOLE) for _ in range(rounds)]
    ns = [scan_s(c) * 1e9 / c["frames"] for c in taken]
    print(f"{taken[0]['frames']:.0f} frames, {1000 * statistics.median(map(scan_s, taken)):.0f} ms of one CPU: "
          f"{statistics.median(ns):.1f} ns a frame (median of {rounds}), {min(ns):.1f} to {max(ns):.1f}")


def main():
    tasks = {"latency": latency, "frame": frame}
    if len(sys.argv) < 2 or sys.argv[1] not in tasks:
        sys.exit(__doc__)
    tasks[sys.argv[1]](*map(int, sys.argv[2:3]))


main()
