/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a row of a capture costs beyond its own struct: in the report, or in a diff, whichever is
 * more. Measured as peak memory by row (docs/capture-format.md, "Bounds"), and rounded up. The
 * reader takes it from one budget for the capture, so that what is read can also be worked out:
 * twice the budget, for the two sides of a diff, is below what base/bounds.h allows.
 */
#ifndef KMEMTRACE_CAPTURE_READER_COST_H
#define KMEMTRACE_CAPTURE_READER_COST_H

#define READER_BUDGET (384 << 20)
/* Names and call paths are printed once for each row that refers to them: a few bytes can be much
 * output. */
#define READER_TEXT_BUDGET (192 << 20)

#define COST_STRING       32   /* malloc's own */
#define COST_HELD         700  /* held rows twice, a group, four shares; a profile's row */
#define COST_HELD_PART    600  /* the same again from one checkpoint to another */
#define COST_CHURN        600  /* a profile's row */
#define COST_STACK        150  /* indexes, a name */
#define COST_FRAME        300  /* a name, a build id */
#define COST_FRAME_TEXT   20   /* " < ", "+0xoffset", JSON's quotes: of a frame in a path */
#define COST_CACHE        1600 /* a row with its trust, levels, names; a name in a match */
#define COST_ALIAS        250
#define COST_PROCESS      80
#define COST_CGROUP       120
#define COST_INTERVAL     1200 /* the course of HISTORY_GROUPS groups */
#define COST_SLAB_NAME    3600 /* a cache's row; a profile's two, and its course */
#define COST_VMALLOC_NAME 900
#define COST_TASK_NAME    1100

#endif
