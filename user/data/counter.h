/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of the counters that a snapshot keeps beside vmstat: part of the capture's format
 * (docs/capture-format.md). proc/counters.c reads them; model/ and findings/ look them up with
 * named_value_get(&s->vmstat, …). A counter that the machine does not have is not there.
 */
#ifndef KMEMTRACE_DATA_COUNTER_H
#define KMEMTRACE_DATA_COUNTER_H

#define COUNTER_FILES             "fs.file-nr" /* open files of the machine */
#define COUNTER_FILES_MAX         "fs.file-max"
#define COUNTER_INODES            "fs.inode-nr"
#define COUNTER_INODES_UNUSED     "fs.inode-nr.unused"
#define COUNTER_DENTRIES          "fs.dentry-state.nr"
#define COUNTER_DENTRIES_UNUSED   "fs.dentry-state.unused"
#define COUNTER_DENTRIES_NEGATIVE "fs.dentry-state.negative" /* before 5.0 always 0 */
#define COUNTER_THREADS           "kernel.threads"           /* of the machine */
#define COUNTER_THREADS_MAX       "kernel.threads-max"
#define COUNTER_PID_MAX           "kernel.pid_max"
#define COUNTER_KEYS              "kernel.keys" /* of all users that this user namespace sees */

/* Of the network namespace of the recording. */
#define COUNTER_CONNECTIONS     "net.netfilter.nf_conntrack_count"
#define COUNTER_CONNECTIONS_MAX "net.netfilter.nf_conntrack_max"
#define COUNTER_SOCKETS         "net.sockstat.sockets.used"
#define COUNTER_TCP_IN_USE      "net.sockstat.TCP.inuse"
#define COUNTER_TCP_TIME_WAIT   "net.sockstat.TCP.tw"
#define COUNTER_UDP_IN_USE      "net.sockstat.UDP.inuse"
#define COUNTER_TCP6_IN_USE     "net.sockstat6.TCP6.inuse"
#define COUNTER_UDP6_IN_USE     "net.sockstat6.UDP6.inuse"
#define COUNTER_FRAGMENT_BYTES  "net.sockstat.FRAG.memory"
#define COUNTER_FRAGMENT6_BYTES "net.sockstat6.FRAG6.memory"

/* Of the machine, in every network namespace. */
#define COUNTER_TCP_ORPHANS   "net.sockstat.TCP.orphan"
#define COUNTER_TCP_ALLOCATED "net.sockstat.TCP.alloc"
#define COUNTER_TCP_PAGES     "net.sockstat.TCP.mem"
#define COUNTER_UDP_PAGES     "net.sockstat.UDP.mem"

#endif
