// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recognises containers by their cgroup path: see container.h. It knows the paths of runc's systemd
 * and cgroupfs drivers (docker, containerd, CRI-O), podman's libpod, LXC's lxc.payload,
 * systemd-machined and the kubelet's kubepods tree.
 */
#include "model/container.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define ID_DIGITS    64 /* of a container id */
#define HEX_VOLATILE 12 /* treat a run of this many hex digits as an id */

/* Path components of the form "PREFIXid.scope", and the runtime that uses them. */
static const struct {
	const char *prefix, *runtime;
} scopes[] = {
	{"docker-", "docker"}, {"cri-containerd-", "containerd"}, {"crio-", "cri-o"},
	{"libpod-", "podman"}, {"nerdctl-", "containerd"},
};

/* Directories whose children are containers. */
static const struct {
	const char *parent, *runtime;
} parents[] = {
	{"docker", "docker"},
	{"lxc", "lxc"},
	{"libpod_parent", "podman"},
	{"containerd", "containerd"},
};

/* Take the next component off a path. */
static bool next_component(struct text *rest, struct text *out)
{
	const char *slash;

	while (rest->len && *rest->p == '/') {
		rest->p++;
		rest->len--;
	}
	if (!rest->len)
		return false;
	slash = memchr(rest->p, '/', rest->len);
	out->p = rest->p;
	out->len = slash ? (size_t)(slash - rest->p) : rest->len;
	rest->p += out->len;
	rest->len -= out->len;
	return true;
}

static size_t hex_run(struct text t)
{
	size_t n = 0;

	while (n < t.len && isxdigit((unsigned char)t.p[n]))
		n++;
	return n;
}

static struct text text_skip(struct text t, size_t n)
{
	return (struct text){t.p + n, t.len - n};
}

static bool text_ends(struct text t, const char *suffix)
{
	size_t n = strlen(suffix);

	return t.len >= n && !memcmp(t.p + t.len - n, suffix, n);
}

/* "12345678-1234-1234-1234-123456789abc", 36 characters; systemd needs '_' in place of '-'. */
static bool is_uid(struct text t)
{
	if (t.len < 36)
		return false;
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? t.p[i] != '-' && t.p[i] != '_' : !isxdigit((unsigned char)t.p[i]))
			return false;
	}
	return t.len == 36 || !isalnum((unsigned char)t.p[36]);
}

/* kubepods-burstable-podUID.slice (systemd driver) or podUID (cgroupfs driver). */
static void read_pod(struct text component, struct container *out)
{
	for (size_t at = 0; at + 3 < component.len; at++) {
		struct text uid = text_skip(component, at + 3);

		if (memcmp(component.p + at, "pod", 3) || !is_uid(uid) ||
		    (at && component.p[at - 1] != '-'))
			continue;
		text_copy((struct text){uid.p, 36}, out->pod, sizeof(out->pod));
		for (char *p = out->pod; *p; p++)
			if (*p == '_')
				*p = '-';
		return;
	}
}

static void read_scope(struct text component, struct container *out)
{
	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
		struct text id;

		if (!text_starts(component, scopes[i].prefix))
			continue;
		id = text_skip(component, strlen(scopes[i].prefix));
		if (hex_run(id) != ID_DIGITS)
			continue;
		out->runtime = scopes[i].runtime;
		text_copy((struct text){id.p, ID_DIGITS}, out->id, sizeof(out->id));
	}
	if (text_starts(component, "lxc.payload.")) {
		out->runtime = "lxc";
		text_copy(text_skip(component, 12), out->id, sizeof(out->id));
	} else if (text_starts(component, "machine-") && text_ends(component, ".scope")) {
		out->runtime = "nspawn";
		text_copy((struct text){component.p + 8, component.len - 14}, out->id,
			  sizeof(out->id));
	}
}

/* A component below one that names a runtime or a pod. */
static void read_child(struct text parent, struct text component, struct container *out)
{
	if (out->id[0])
		return;
	for (size_t i = 0; i < sizeof(parents) / sizeof(parents[0]); i++) {
		bool named = !strcmp(parents[i].runtime, "lxc");

		if (!text_is(parent, parents[i].parent) ||
		    (!named && (component.len != ID_DIGITS || hex_run(component) != ID_DIGITS)))
			continue;
		out->runtime = parents[i].runtime;
		text_copy(component, out->id, sizeof(out->id));
		return;
	}
	if (out->pod[0] && component.len == ID_DIGITS && hex_run(component) == ID_DIGITS) {
		out->runtime = "cri"; /* the kubelet's tree does not say which runtime */
		text_copy(component, out->id, sizeof(out->id));
	}
}

void container_of_cgroup(const char *path, struct container *out)
{
	static const char *const units[] = {".service", ".scope", ".slice",
					    ".socket",  ".mount", ".swap"};
	struct container c = {.runtime = ""};
	struct text rest = text_of(path), component, parent = {"", 0};

	while (next_component(&rest, &component)) {
		read_pod(component, &c);
		read_scope(component, &c);
		read_child(parent, component, &c);
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
			if (text_ends(component, units[i]))
				text_copy(component, c.unit, sizeof(c.unit));
		parent = component;
	}
	*out = c;
}

char *container_label(const struct container *c, char *buf, size_t size)
{
	int id = hex_run(text_of(c->id)) == ID_DIGITS ? 12 : (int)sizeof(c->id);

	snprintf(buf, size, "%s%s%s%s%s%.*s", c->pod[0] ? "pod " : "", c->pod,
		 c->pod[0] && c->runtime[0] ? " " : "", c->runtime, c->id[0] ? " " : "", id, c->id);
	return buf;
}

/* How many bytes at t are an id that changes from boot to boot; 0: none. `before` is the preceding
 * byte. */
static size_t volatile_run(struct text t, char before)
{
	size_t n;

	if (isalnum((unsigned char)before))
		return 0;
	if (is_uid(t))
		return 36;
	n = hex_run(t);
	return n >= HEX_VOLATILE && (n == t.len || !isalnum((unsigned char)t.p[n])) ? n : 0;
}

/* "session-12.scope", "session-c3.scope", "run-u12.service", "run-r….scope", "run-1234.scope" */
static size_t transient_run(struct text t, size_t *keep)
{
	static const char *const prefixes[] = {"session-c", "session-", "run-u",
					       "run-r",     "run-p",    "run-"};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t n = strlen(prefixes[i]), digits = 0;

		if (!text_starts(t, prefixes[i]))
			continue;
		while (n + digits < t.len && isxdigit((unsigned char)t.p[n + digits]))
			digits++;
		if (!digits || (n + digits < t.len && isalnum((unsigned char)t.p[n + digits])))
			continue;
		*keep = (size_t)(strchr(prefixes[i], '-') + 1 - prefixes[i]);
		return n + digits;
	}
	return 0;
}

void cgroup_normalise(const char *path, char *dst, size_t size)
{
	struct text t = text_of(path);
	char before = '/';
	size_t at = 0;

	while (t.len && at + 1 < size) {
		size_t keep = 0, skip = volatile_run(t, before);

		/* a pod's UID follows its prefix without a break */
		if (!skip && text_starts(t, "pod") && is_uid(text_skip(t, 3)) &&
		    !isalnum((unsigned char)before)) {
			keep = 3;
			skip = 39;
		}
		if (!skip && before == '/')
			skip = transient_run(t, &keep);
		if (!skip)
			keep = skip = 1;
		else if (at + keep + 1 >= size)
			break;
		memcpy(dst + at, t.p, keep);
		at += keep;
		if (keep != skip)
			dst[at++] = '*';
		before = t.p[skip - 1];
		t = text_skip(t, skip);
	}
	dst[at < size ? at : size - 1] = '\0';
}
