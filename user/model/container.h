/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads the container, Kubernetes pod and systemd unit from a cgroup path. Also normalises a path,
 * so that diff recognises the same service in two boots. Renderers and diff/ call it. Pure; paths
 * come from the traced host and may be hostile.
 */
#ifndef KMEMTRACE_MODEL_CONTAINER_H
#define KMEMTRACE_MODEL_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>

struct container {
	const char *runtime; /* "docker", "containerd", "cri-o", "podman", "lxc", "nspawn", …; ""
				none */
	char id[65];         /* of the container: 64 hex digits, or a name; "" unknown */
	char pod[37];        /* UID of the Kubernetes pod; "" none */
	char unit[128];      /* innermost systemd service, scope or slice; "" none */
};

/* Read `path` ("/system.slice/docker-….scope"); members that it does not name are "". */
void container_of_cgroup(const char *path, struct container *out);

/* "docker 0123456789ab", "pod 1234abcd-… containerd 0123456789ab"; "" without a container. Returns
 * buf. */
char *container_label(const struct container *c, char *buf, size_t size);

/*
 * Copy `path` with '*' for everything that differs from boot to boot: container ids, pod UIDs,
 * login sessions, transient units. Truncates to dst[size].
 */
void cgroup_normalise(const char *path, char *dst, size_t size);

#endif
