/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The three versions that a user or a script can depend on. `kmemtrace version` prints them.
 */
#ifndef KMEMTRACE_VERSION_H
#define KMEMTRACE_VERSION_H

/*
 * The tool: MAJOR.MINOR.PATCH as in https://semver.org. It counts changes that affect users and
 * scripts: commands, options, exit statuses, JSON and captures, but not the wording of reports.
 *
 *   MAJOR  something that worked no longer works, or means something else
 *   MINOR  something was added, and what worked still works
 *   PATCH  only mistakes were corrected
 *
 * Before 1.0.0, MINOR is raised instead of MAJOR, and CHANGELOG.md says so.
 * CHANGELOG.md begins with this version; CONTRIBUTING.md, "Release", says how to raise it.
 */
#define KMEMTRACE_VERSION "0.2.0"

/*
 * The tables of a capture (user/capture/schema.sql). Raised when a table or column changes, with a
 * reader for the old version. A new view or meta key does not raise it.
 */
#define CAPTURE_SCHEMA_VERSION 3

/*
 * The JSON of all commands (docs/schema), in each document's "schema". Raised when a field goes
 * away or changes its meaning. A new field does not raise it.
 */
#define JSON_SCHEMA_VERSION 1

#endif
