/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a cgroup path says of who is in it: the container, the Kubernetes pod, the systemd unit.
 * Also one path for the same service in two boots, for diff. Pure; paths are hostile.
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

/* Read `path` ("/system.slice/docker-….scope"); members are "" where it says nothing. */
void container_of_cgroup(const char *path, struct container *out);

/* "docker 0123456789ab", "pod 1234abcd-… containerd 0123456789ab"; "" for no container. Returns
 * buf. */
char *container_label(const struct container *c, char *buf, size_t size);

/*
 * `path` with everything that differs from boot to boot replaced by '*': container ids, pod UIDs,
 * login sessions, transient units. Cut to fit dst[size].
 */
void cgroup_normalise(const char *path, char *dst, size_t size);

#endif
