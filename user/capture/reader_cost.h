/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that a row of a capture costs beyond its own struct, in a report or in a diff, whichever
 * is more. Measured as peak memory per row (docs/capture-format.md, "Bounds") and rounded up. The
 * reader subtracts it from one budget per capture, so that everything it accepts can also be
 * processed: twice the budget, for the two sides of a diff, must stay below the limit in
 * base/bounds.h.
 */
#ifndef KMEMTRACE_CAPTURE_READER_COST_H
#define KMEMTRACE_CAPTURE_READER_COST_H

#define READER_BUDGET (384 << 20)
/*
 * Names and call paths are printed once per row that refers to them, so a few bytes can become much
 * output.
 */
#define READER_TEXT_BUDGET (192 << 20)

#define COST_STRING        32   /* malloc's overhead */
#define COST_HELD          700  /* two held rows, a group, four shares; a row of a profile */
#define COST_HELD_PART     600  /* the same for the difference of two checkpoints */
#define COST_CHURN         600  /* a row of a profile */
#define COST_STACK         150  /* indexes, a name */
#define COST_FRAME         300  /* a name, a build id */
#define COST_FRAME_TEXT    20   /* " < ", "+0xoffset" and JSON quotes of a frame in a call path */
#define COST_CACHE         1600 /* a row with its trust, levels, names; a name in a match */
#define COST_ALIAS         250
#define COST_PROCESS       80
#define COST_CGROUP        120
#define COST_INTERVAL      1200 /* the course of HISTORY_GROUPS groups */
#define COST_SLAB_NAME     3600 /* a cache's row; a profile's two, and its course */
#define COST_VMALLOC_NAME  900
#define COST_TASK_NAME     1100
#define COST_BPF_NAME      1000 /* a row, and what it prints */
#define COST_CENSUS_CACHE  800  /* a row of a sheet, and of the page with pictures */
#define COST_CENSUS_CGROUP 600
#define COST_CENSUS_CHARGE 300
#define COST_CENSUS_OBJECT 1400 /* a group with its words, a change */
#define COST_CENSUS_PATH   200  /* beside its call path, which counts as text */
#define COST_CENSUS_KIND   2500 /* its names, in JSON */
#define COST_PROOF         4000 /* beside its call path: a sheet, a finding, JSON */
#define COST_PROOF_ROW     4000 /* a row of JSON */

#endif
