-- SPDX-License-Identifier: GPL-2.0-only
-- The tables of a kmemtrace capture; docs/capture-format.md tells what each column means. The reader compares
-- each table of a file with the statement here, to the letter: a change inside one is a new schema version.

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE snapshot (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, t_s REAL NOT NULL, wall_s REAL NOT NULL,
 parts INTEGER NOT NULL, meminfo_bad INTEGER NOT NULL, vmstat_bad INTEGER NOT NULL, slab_bad INTEGER NOT NULL,
 zone_bad INTEGER NOT NULL, vmalloc_bad INTEGER NOT NULL);

-- Levels: X_name says what a row is about, X_level holds its values, id = snapshot << 20 | name.
CREATE TABLE meminfo_name (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE meminfo_level (id INTEGER PRIMARY KEY, value INTEGER);
CREATE TABLE vmstat_name (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE vmstat_level (id INTEGER PRIMARY KEY, value INTEGER);
CREATE TABLE slab_name (id INTEGER PRIMARY KEY, name TEXT NOT NULL, object_size INTEGER NOT NULL,
 objs_per_slab INTEGER NOT NULL, pages_per_slab INTEGER NOT NULL);
CREATE TABLE slab_level (id INTEGER PRIMARY KEY, active_objs INTEGER, num_objs INTEGER, active_slabs INTEGER,
 num_slabs INTEGER, cpu_free INTEGER);
CREATE TABLE zone_name (id INTEGER PRIMARY KEY, zone TEXT NOT NULL, node INTEGER NOT NULL);
CREATE TABLE zone_level (id INTEGER PRIMARY KEY, free INTEGER, spanned INTEGER, present INTEGER, managed INTEGER,
 pcp INTEGER);
CREATE TABLE vmalloc_name (id INTEGER PRIMARY KEY, caller TEXT NOT NULL, kind INTEGER NOT NULL);
CREATE TABLE vmalloc_level (id INTEGER PRIMARY KEY, areas INTEGER, bytes INTEGER, pages INTEGER);
CREATE TABLE task_name (id INTEGER PRIMARY KEY, comm TEXT NOT NULL, tgid INTEGER NOT NULL,
 cgroup_id INTEGER NOT NULL);
CREATE TABLE task_level (id INTEGER PRIMARY KEY, threads INTEGER, stack_bytes INTEGER, pgtables_bytes INTEGER);
CREATE TABLE cgroup_count_name (id INTEGER PRIMARY KEY, path TEXT NOT NULL, cgroup_id INTEGER NOT NULL);
CREATE TABLE cgroup_count_level (id INTEGER PRIMARY KEY, descendants INTEGER, dying INTEGER);
CREATE TABLE node_name (id INTEGER PRIMARY KEY, name TEXT NOT NULL, node INTEGER NOT NULL);
CREATE TABLE node_level (id INTEGER PRIMARY KEY, value INTEGER);
CREATE TABLE bpf_name (id INTEGER PRIMARY KEY, object TEXT NOT NULL, kind INTEGER NOT NULL, bpf_id INTEGER NOT NULL);
CREATE TABLE bpf_level (id INTEGER PRIMARY KEY, vmalloc INTEGER, percpu INTEGER, slab INTEGER, pages INTEGER,
 own INTEGER);
CREATE TABLE bpf_holder_name (id INTEGER PRIMARY KEY, holder TEXT NOT NULL, kind INTEGER NOT NULL,
 bpf_id INTEGER NOT NULL, how INTEGER NOT NULL);
CREATE TABLE bpf_holder_level (id INTEGER PRIMARY KEY, holder_id INTEGER);

-- Who and where.
CREATE TABLE frame (id INTEGER PRIMARY KEY, symbol TEXT NOT NULL, offset INTEGER NOT NULL, module TEXT NOT NULL,
 build_id TEXT NOT NULL);
CREATE TABLE stack (id INTEGER PRIMARY KEY, truncated INTEGER NOT NULL);
CREATE TABLE stack_frame (stack INTEGER NOT NULL, depth INTEGER NOT NULL, frame INTEGER NOT NULL,
 PRIMARY KEY (stack, depth)) WITHOUT ROWID;
CREATE TABLE cgroup (id INTEGER PRIMARY KEY, path TEXT NOT NULL);
CREATE TABLE process (id INTEGER PRIMARY KEY, tgid INTEGER NOT NULL, comm TEXT NOT NULL, cmdline TEXT NOT NULL,
 cgroup INTEGER NOT NULL);
CREATE TABLE cache (id INTEGER PRIMARY KEY, name TEXT NOT NULL, object_size INTEGER NOT NULL, size INTEGER NOT NULL,
 reclaimable INTEGER NOT NULL, large INTEGER NOT NULL, merged_away INTEGER NOT NULL);
CREATE TABLE cache_alias (cache INTEGER NOT NULL, name TEXT NOT NULL);
CREATE TABLE hook (name TEXT NOT NULL, pool TEXT NOT NULL, how TEXT NOT NULL, reason TEXT NOT NULL,
 cost TEXT NOT NULL);

-- What was seen, interval by interval.
CREATE TABLE interval (id INTEGER PRIMARY KEY, start_s REAL NOT NULL, end_s REAL NOT NULL);
CREATE TABLE held (interval INTEGER NOT NULL, pool TEXT NOT NULL, class TEXT NOT NULL, cache INTEGER NOT NULL,
 stack INTEGER NOT NULL, process INTEGER NOT NULL, tracked INTEGER NOT NULL, objects REAL NOT NULL,
 bytes REAL NOT NULL, bytes_var REAL NOT NULL, oldest_s REAL NOT NULL, judged INTEGER NOT NULL,
 judged_live INTEGER NOT NULL, judged_twice INTEGER NOT NULL, age_0 REAL NOT NULL, age_1 REAL NOT NULL, age_2 REAL NOT NULL, age_3 REAL NOT NULL,
 age_4 REAL NOT NULL, age_5 REAL NOT NULL, age_6 REAL NOT NULL, age_7 REAL NOT NULL, age_8 REAL NOT NULL,
 age_9 REAL NOT NULL, age_10 REAL NOT NULL, age_11 REAL NOT NULL, age_12 REAL NOT NULL, age_13 REAL NOT NULL,
 age_14 REAL NOT NULL, age_15 REAL NOT NULL);
CREATE TABLE held_missed (interval INTEGER NOT NULL, number INTEGER NOT NULL, bytes_missed REAL NOT NULL);
CREATE TABLE churn (interval INTEGER NOT NULL, pool TEXT NOT NULL, stack INTEGER NOT NULL, allocs REAL NOT NULL,
 alloc_bytes REAL NOT NULL, frees REAL NOT NULL, free_bytes REAL NOT NULL, ghosts REAL NOT NULL,
 ghost_bytes REAL NOT NULL);
CREATE TABLE churn_var (interval INTEGER NOT NULL, number INTEGER NOT NULL, alloc_bytes_var REAL NOT NULL);
CREATE TABLE cache_churn (interval INTEGER NOT NULL, cache INTEGER NOT NULL, allocs REAL NOT NULL,
 frees REAL NOT NULL, ghosts REAL NOT NULL);
CREATE TABLE loss (interval INTEGER NOT NULL, name TEXT NOT NULL, value INTEGER NOT NULL);

-- A census: what each page was used for at one moment. Each table below, but census_line and census_page, has the
-- rows of one census numbered from 1. X, X_squares, X_hits: a sum, the squared differences of its pairs, its units.
CREATE TABLE census (id INTEGER PRIMARY KEY, moment TEXT NOT NULL, wall_s REAL NOT NULL, took_s REAL NOT NULL,
 cpu_s REAL NOT NULL, units INTEGER NOT NULL, counted INTEGER NOT NULL, frames INTEGER NOT NULL,
 page_bytes INTEGER NOT NULL, unmarked INTEGER NOT NULL, cpus INTEGER NOT NULL, lost INTEGER NOT NULL,
 files_read INTEGER NOT NULL, kinds_cpu_s REAL NOT NULL, kinds_skipped INTEGER NOT NULL, kinds_missing TEXT NOT NULL,
 kinds_lacking TEXT NOT NULL);
CREATE TABLE census_line (census INTEGER NOT NULL, file TEXT NOT NULL, name TEXT NOT NULL, before INTEGER NOT NULL,
 after INTEGER NOT NULL);
CREATE TABLE census_page (census INTEGER NOT NULL, class TEXT NOT NULL, pages REAL NOT NULL,
 pages_squares REAL NOT NULL, pages_hits INTEGER NOT NULL);
CREATE TABLE census_cache (census INTEGER NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL,
 object_bytes INTEGER NOT NULL, reclaimable INTEGER NOT NULL, cpu_free INTEGER NOT NULL, pages REAL NOT NULL,
 pages_squares REAL NOT NULL, pages_hits INTEGER NOT NULL, empty REAL NOT NULL, empty_squares REAL NOT NULL,
 empty_hits INTEGER NOT NULL, objects REAL NOT NULL, objects_squares REAL NOT NULL, objects_hits INTEGER NOT NULL,
 used REAL NOT NULL, used_squares REAL NOT NULL, used_hits INTEGER NOT NULL);
CREATE TABLE census_cgroup (census INTEGER NOT NULL, number INTEGER NOT NULL, path TEXT NOT NULL,
 cgroup_id INTEGER NOT NULL, removed INTEGER NOT NULL, removed_below INTEGER NOT NULL, owners INTEGER NOT NULL);
CREATE TABLE census_charge (census INTEGER NOT NULL, number INTEGER NOT NULL, cache INTEGER NOT NULL,
 class TEXT NOT NULL, cgroup INTEGER NOT NULL, charged REAL NOT NULL, charged_squares REAL NOT NULL,
 charged_hits INTEGER NOT NULL);
CREATE TABLE census_origin (census INTEGER NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
 counted INTEGER NOT NULL, objects INTEGER NOT NULL, pages REAL NOT NULL, pages_squares REAL NOT NULL,
 pages_hits INTEGER NOT NULL);
CREATE TABLE census_node (census INTEGER NOT NULL, number INTEGER NOT NULL, cache INTEGER NOT NULL,
 node INTEGER NOT NULL, pages REAL NOT NULL, pages_squares REAL NOT NULL, pages_hits INTEGER NOT NULL);
-- Lenses: what the objects of a census are. looked: the part of their blocks; X_variance: of the estimate X.
CREATE TABLE census_lenses (census INTEGER NOT NULL, absent TEXT NOT NULL, cpu_s REAL NOT NULL,
 unrecognised REAL NOT NULL, lost INTEGER NOT NULL, named INTEGER NOT NULL, spaces_whole INTEGER NOT NULL,
 holders_whole INTEGER NOT NULL);
CREATE TABLE census_lens (census INTEGER NOT NULL, lens TEXT NOT NULL, looked REAL NOT NULL, sampled INTEGER NOT NULL);
CREATE TABLE census_object (census INTEGER NOT NULL, number INTEGER NOT NULL, lens TEXT NOT NULL, what TEXT NOT NULL,
 device TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, family TEXT NOT NULL, namespace INTEGER NOT NULL,
 cgroup INTEGER NOT NULL, objects REAL NOT NULL, objects_variance REAL NOT NULL, kb REAL NOT NULL,
 kb_variance REAL NOT NULL, held_kb REAL NOT NULL, held_kb_variance REAL NOT NULL, queued_kb REAL NOT NULL,
 queued_kb_variance REAL NOT NULL);
CREATE TABLE census_space (census INTEGER NOT NULL, number INTEGER NOT NULL, namespace INTEGER NOT NULL,
 net INTEGER NOT NULL, processes INTEGER NOT NULL, pid INTEGER NOT NULL, comm TEXT NOT NULL);
CREATE TABLE census_directory (census INTEGER NOT NULL, number INTEGER NOT NULL, what TEXT NOT NULL,
 device TEXT NOT NULL, path TEXT NOT NULL, objects REAL NOT NULL, objects_variance REAL NOT NULL,
 negative REAL NOT NULL, negative_variance REAL NOT NULL, kb REAL NOT NULL);
CREATE TABLE census_place (census INTEGER NOT NULL, number INTEGER NOT NULL, lens TEXT NOT NULL, what TEXT NOT NULL,
 device TEXT NOT NULL, path TEXT NOT NULL, deleted INTEGER NOT NULL, objects REAL NOT NULL,
 objects_variance REAL NOT NULL, processes INTEGER NOT NULL, pid INTEGER NOT NULL, comm TEXT NOT NULL,
 most INTEGER NOT NULL);
CREATE TABLE census_holder (census INTEGER NOT NULL, number INTEGER NOT NULL, lens TEXT NOT NULL, what TEXT NOT NULL,
 device TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, family TEXT NOT NULL, comm TEXT NOT NULL,
 processes INTEGER NOT NULL, pid INTEGER NOT NULL, objects INTEGER NOT NULL, held_kb REAL NOT NULL,
 queued_kb REAL NOT NULL);
-- What the kernel itself says about its allocations: sources that were read, lines of source, call paths.
CREATE TABLE census_source (census INTEGER NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL,
 bytes INTEGER NOT NULL, bad_lines INTEGER NOT NULL, lacks TEXT NOT NULL);
CREATE TABLE census_site (census INTEGER NOT NULL, number INTEGER NOT NULL, file TEXT NOT NULL, line INTEGER NOT NULL,
 module TEXT NOT NULL, function TEXT NOT NULL, bytes INTEGER NOT NULL, allocations INTEGER NOT NULL,
 inaccurate INTEGER NOT NULL);
CREATE TABLE census_alloc_path (census INTEGER NOT NULL, number INTEGER NOT NULL, source TEXT NOT NULL,
 cache TEXT NOT NULL, frames TEXT NOT NULL, bytes INTEGER NOT NULL, allocations INTEGER NOT NULL);
CREATE TABLE census_kind (census INTEGER NOT NULL, number INTEGER NOT NULL, cache INTEGER NOT NULL,
 objects INTEGER NOT NULL, effective REAL NOT NULL, sure INTEGER NOT NULL, types INTEGER NOT NULL, type TEXT NOT NULL,
 score REAL NOT NULL, type2 TEXT NOT NULL, score2 REAL NOT NULL, type3 TEXT NOT NULL, score3 REAL NOT NULL,
 functions TEXT NOT NULL, points_to TEXT NOT NULL, signature TEXT NOT NULL, cgroup INTEGER NOT NULL,
 charged INTEGER NOT NULL);
CREATE TABLE census_kind_sample (census INTEGER NOT NULL, number INTEGER NOT NULL, cache INTEGER NOT NULL,
 drawn INTEGER NOT NULL, live INTEGER NOT NULL, unsure INTEGER NOT NULL);
CREATE TABLE census_path (census INTEGER NOT NULL, number INTEGER NOT NULL, cache INTEGER NOT NULL,
 kind INTEGER NOT NULL, stack INTEGER NOT NULL, tracked INTEGER NOT NULL, looked INTEGER NOT NULL,
 alike INTEGER NOT NULL, objects REAL NOT NULL);

-- What points to the objects that call paths held at the end (record --prove). frames: page frames that were looked
-- at, in the scan that saw less, of frames_all.
CREATE TABLE proof (id INTEGER PRIMARY KEY, stack INTEGER NOT NULL, cache TEXT NOT NULL, object_bytes INTEGER NOT NULL,
 held_objects INTEGER NOT NULL, all_objects INTEGER NOT NULL, checked INTEGER NOT NULL, unreferenced INTEGER NOT NULL,
 only_page INTEGER NOT NULL, only_own_cache INTEGER NOT NULL, changed INTEGER NOT NULL, freed INTEGER NOT NULL,
 dropped INTEGER NOT NULL, closed INTEGER NOT NULL, too_short INTEGER NOT NULL,
 control TEXT NOT NULL, control_checked INTEGER NOT NULL, control_unreferenced INTEGER NOT NULL,
 referenced INTEGER NOT NULL, with_holder INTEGER NOT NULL, holders_known INTEGER NOT NULL,
 holders_partial INTEGER NOT NULL, levels INTEGER NOT NULL, frames INTEGER NOT NULL, frames_all INTEGER NOT NULL,
 faults INTEGER NOT NULL, wall_s REAL NOT NULL, took_s REAL NOT NULL, cpu_s REAL NOT NULL, apart_s REAL NOT NULL);
CREATE TABLE proof_referrer (proof INTEGER NOT NULL, class TEXT NOT NULL, cache TEXT NOT NULL, type TEXT NOT NULL,
 field TEXT NOT NULL, place TEXT NOT NULL, own_cache INTEGER NOT NULL, objects INTEGER NOT NULL,
 pointers INTEGER NOT NULL);
CREATE TABLE proof_holder (proof INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, pid INTEGER NOT NULL,
 cgroup TEXT NOT NULL, through TEXT NOT NULL, certain INTEGER NOT NULL, objects INTEGER NOT NULL);

-- For people with sqlite3; the reader never looks at these.
CREATE VIEW meminfo AS SELECT s.id AS snapshot, s.kind, s.t_s, n.name, l.value
 FROM meminfo_level l JOIN snapshot s ON s.id = l.id >> 20 JOIN meminfo_name n ON n.id = l.id & 1048575;
CREATE VIEW vmstat AS SELECT s.id AS snapshot, s.kind, s.t_s, n.name, l.value
 FROM vmstat_level l JOIN snapshot s ON s.id = l.id >> 20 JOIN vmstat_name n ON n.id = l.id & 1048575;
CREATE VIEW slab AS SELECT s.id AS snapshot, s.kind, s.t_s, n.name, n.object_size, n.objs_per_slab, n.pages_per_slab,
 l.active_objs, l.num_objs, l.active_slabs, l.num_slabs, l.cpu_free
 FROM slab_level l JOIN snapshot s ON s.id = l.id >> 20 JOIN slab_name n ON n.id = l.id & 1048575;
CREATE VIEW zone AS SELECT s.id AS snapshot, s.kind, s.t_s, n.node, n.zone, l.free, l.spanned, l.present, l.managed,
 l.pcp FROM zone_level l JOIN snapshot s ON s.id = l.id >> 20 JOIN zone_name n ON n.id = l.id & 1048575;
CREATE VIEW vmalloc AS SELECT s.id AS snapshot, s.kind, s.t_s, n.caller,
 CASE n.kind WHEN 0 THEN 'vmalloc' WHEN 1 THEN 'vmap' WHEN 2 THEN 'ioremap' WHEN 3 THEN 'vm_map_ram'
 WHEN 4 THEN 'percpu' ELSE 'other' END AS kind_of_area, l.areas, l.bytes, l.pages
 FROM vmalloc_level l JOIN snapshot s ON s.id = l.id >> 20 JOIN vmalloc_name n ON n.id = l.id & 1048575;
CREATE VIEW task AS SELECT s.id AS snapshot, s.kind, s.t_s, n.tgid, n.comm, n.cgroup_id, l.threads, l.stack_bytes,
 l.pgtables_bytes FROM task_level l JOIN snapshot s ON s.id = l.id >> 20 JOIN task_name n ON n.id = l.id & 1048575;
CREATE VIEW cgroup_count AS SELECT s.id AS snapshot, s.kind, s.t_s, n.path, n.cgroup_id, l.descendants, l.dying
 FROM cgroup_count_level l JOIN snapshot s ON s.id = l.id >> 20
 JOIN cgroup_count_name n ON n.id = l.id & 1048575;
CREATE VIEW node AS SELECT s.id AS snapshot, s.kind, s.t_s, n.node, n.name, l.value
 FROM node_level l JOIN snapshot s ON s.id = l.id >> 20 JOIN node_name n ON n.id = l.id & 1048575;
CREATE VIEW bpf AS SELECT s.id AS snapshot, s.kind, s.t_s, n.object, CASE n.kind WHEN 0 THEN 'map' ELSE 'program' END
 AS kind_of_object, n.bpf_id, l.vmalloc, l.percpu, l.slab, l.pages, l.own
 FROM bpf_level l JOIN snapshot s ON s.id = l.id >> 20 JOIN bpf_name n ON n.id = l.id & 1048575;
CREATE VIEW bpf_holder AS SELECT s.id AS snapshot, s.kind, s.t_s, n.holder, CASE n.kind WHEN 0 THEN 'map'
 ELSE 'program' END AS kind_of_object, n.bpf_id, CASE n.how WHEN 0 THEN 'process' WHEN 1 THEN 'pin' WHEN 2 THEN 'link'
 ELSE 'program' END AS held_by, l.holder_id
 FROM bpf_holder_level l JOIN snapshot s ON s.id = l.id >> 20 JOIN bpf_holder_name n ON n.id = l.id & 1048575;
CREATE VIEW census_pages AS SELECT c.moment, p.class, p.pages * c.units / c.counted * c.page_bytes / 1024 AS kb
 FROM census_page p JOIN census c ON c.id = p.census;
CREATE VIEW census_caches AS SELECT c.moment, k.number, k.name, k.object_bytes,
 k.pages * c.units / c.counted * c.page_bytes / 1024 AS kb,
 max(k.used * c.units / c.counted - max(k.cpu_free, 0), 0) AS objects,
 k.empty * c.units / c.counted * c.page_bytes / 1024 AS empty_kb FROM census_cache k JOIN census c ON c.id = k.census;
CREATE VIEW census_charges AS SELECT c.moment, g.path, g.removed, g.removed_below, k.name AS cache, h.class,
 h.charged * c.units / c.counted AS nr, h.charged * c.units / c.counted * coalesce(k.object_bytes, c.page_bytes) / 1024
 AS kb FROM census_charge h JOIN census c ON c.id = h.census
 JOIN census_cgroup g ON g.census = h.census AND g.number = h.cgroup
 LEFT JOIN census_cache k ON k.census = h.census AND k.number = h.cache;
CREATE VIEW census_objects AS SELECT c.moment, o.lens, o.what, o.device, o.kind, o.state, o.family, o.namespace,
 g.path AS cgroup, g.removed, g.removed_below, o.objects, o.kb, o.held_kb, o.queued_kb FROM census_object o
 JOIN census c ON c.id = o.census LEFT JOIN census_cgroup g ON g.census = o.census AND g.number = o.cgroup;
CREATE VIEW census_kinds AS SELECT c.moment, a.name AS cache, k.type, k.sure, 1.0 * k.objects / s.live AS share,
 a.objects * k.objects / s.live AS objects, k.functions, k.points_to, k.signature FROM census_kind k
 JOIN census c ON c.id = k.census JOIN census_caches a ON a.moment = c.moment AND a.number = k.cache
 JOIN census_kind_sample s ON s.census = k.census AND s.cache = k.cache WHERE s.live > 0;
CREATE VIEW stack_text AS SELECT stack, group_concat(line, ' < ') AS text FROM (SELECT sf.stack, f.symbol ||
 printf('+0x%x', f.offset) || CASE f.module WHEN 'vmlinux' THEN '' ELSE ' [' || f.module || ']' END AS line
 FROM stack_frame sf JOIN frame f ON f.id = sf.frame ORDER BY sf.stack, sf.depth) GROUP BY stack;
