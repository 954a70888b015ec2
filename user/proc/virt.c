// SPDX-License-Identifier: GPL-2.0-only
/*
 * Detects the virtualization that the kernel runs in. Each source has a table of values and their
 * meaning; the first match of the first source wins. Sources: CPUID leaf 0x40000000 of the
 * hypervisors' own documents, DMI vendor strings, Documentation/ABI/stable/sysfs-hypervisor-xen,
 * the container managers' marker files.
 */
#include "proc/virt.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "base/cleanup.h"
#include "base/file_read.h"
#include "base/text.h"

struct meaning {
	const char *says; /* a prefix, or for cgroups a part */
	const char *name;
};

/* clang-format off: tables of pairs */
static const struct meaning cpuid_meanings[] = {
	{"KVMKVMKVM", "kvm"},
	{"Linux KVM Hv", "kvm"},
	{"TCGTCGTCGTCG", "qemu"},
	{"VMwareVMware", "vmware"},
	{"Microsoft Hv", "microsoft"},
	{"XenVMMXenVMM", "xen"},
	{"bhyve bhyve", "bhyve"},
	{"ACRNACRNACRN", "acrn"},
	{"Apple VZ", "apple"},
	{"QNXQVMBSQG", "qnx"},
	{NULL, NULL},
};

static const struct meaning device_tree_meanings[] = {
	{"linux,kvm", "kvm"}, {"xen", "xen"}, {"vmware", "vmware"}, {"", "vm-other"}, {NULL, NULL},
};

/* Hypervisors known by DMI, for where CPUID says nothing (arm64, a hidden flag). */
static const struct meaning dmi_meanings[] = {
	{"KVM", "kvm"},     {"QEMU", "qemu"},           {"VMware", "vmware"},
	{"VMW", "vmware"},  {"innotek GmbH", "oracle"}, {"VirtualBox", "oracle"},
	{"Xen", "xen"},     {"Bochs", "bochs"},         {"Parallels", "parallels"},
	{"BHYVE", "bhyve"}, {"Hyper-V", "microsoft"},   {"Apple Virtualization", "apple"},
	{NULL, NULL},
};

/* The platform, if it differs from the hypervisor. */
static const struct meaning platform_meanings[] = {
	{"Amazon EC2", "amazon"},
	{"Google", "google"},
	{"OpenStack", "openstack"},
	{"KubeVirt", "kubevirt"},
	{"VirtualBox", "oracle"},
	{"innotek GmbH", "oracle"},
	{NULL, NULL},
};

/* Parts of the cgroup paths that container managers choose. A cgroup namespace hides them. */
static const struct meaning cgroup_meanings[] = {
	{"kubepods", "kubernetes"},
	{"/docker", "docker"},
	{"libpod", "podman"},
	{"/lxc", "lxc"},
	{"machine.slice/machine-", "systemd-nspawn"},
	{NULL, NULL},
};
/* clang-format on */

static const char *meaning_of(const struct meaning *table, const char *says)
{
	if (*says)
		for (; table->says; table++)
			if (!strncmp(says, table->says, strlen(table->says)))
				return table->name;
	return NULL;
}

static const char *dmi_meaning(const struct meaning *table, const struct virt_clues *c)
{
	const char *says[] = {c->product, c->vendor, c->board,
			      c->bios}; /* product: KVM before QEMU */

	for (size_t i = 0; i < sizeof(says) / sizeof(*says); i++) {
		const char *name = meaning_of(table, says[i]);

		if (name)
			return name;
	}
	return NULL;
}

static const char *machine_name(const struct virt_clues *c)
{
	const char *name;

	if (c->xen_control) /* dom0 is the machine, whatever CPUID says */
		return NULL;
	name = meaning_of(cpuid_meanings, c->cpuid);
	if (!name && text_starts(text_of(c->sys_hypervisor), "xen"))
		name = "xen";
	if (!name)
		name = meaning_of(device_tree_meanings, c->device_tree);
	if (!name)
		name = dmi_meaning(dmi_meanings, c);
	if (!name && (c->cpu_flag || *c->cpuid))
		name = "vm-other";
	/* EC2 on arm64 gives no other sign. Its .metal instances are not VMs. */
	if (!name && !strncmp(c->vendor, "Amazon EC2", 10) && !strstr(c->product, ".metal"))
		name = "vm-other";
	return name;
}

static const char *platform_name(const struct virt_clues *c)
{
	if (!strncmp(c->acpi_oem, "FIRECK",
		     6)) /* Firecracker has no DMI, but signs its ACPI tables */
		return "firecracker";
	if (strstr(c->osrelease, "microsoft-standard") || strstr(c->osrelease, "WSL"))
		return "wsl";
	return dmi_meaning(platform_meanings, c);
}

static const char *container_name(const struct virt_clues *c)
{
	if (c->kubernetes)
		return "kubernetes";
	if (*c->container)
		return c->container;
	for (const struct meaning *m = cgroup_meanings; m->says; m++)
		if (strstr(c->cgroup, m->says))
			return m->name;
	if (c->containerenv)
		return "podman";
	return c->dockerenv ? "docker" : NULL;
}

void virt_name(const struct virt_clues *clues, char name[VIRT_NAME_MAX])
{
	const char *machine = machine_name(clues), *platform = platform_name(clues);
	const char *container = container_name(clues);

	if (!machine || !platform || !strcmp(platform, machine))
		platform = "";
	if (!machine && !container)
		machine = "none";
	snprintf(name, VIRT_NAME_MAX, "%s%s%s%s%s", platform, *platform ? "/" : "",
		 machine ? machine : "", container ? (machine ? "+container:" : "container:") : "",
		 container ? container : "");
}

/* ---- collecting ---- */

/*
 * The signature of the hypervisor. KVM and Xen that emulate Hyper-V put their own at a later base,
 * so the last one that is not Microsoft's is the true one.
 */
static void cpuid_signature(char sig[13])
{
#if defined(__x86_64__) || defined(__i386__)
	unsigned int a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 31))
		return;
	for (unsigned int base = 0x40000000; base <= 0x40000400; base += 0x100) {
		char text[13] = {0};

		__cpuid(base, a, b, c, d);
		memcpy(text, &b, 4);
		memcpy(text + 4, &c, 4);
		memcpy(text + 8, &d, 4);
		if (base == 0x40000000 ||
		    (meaning_of(cpuid_meanings, text) && strcmp(text, "Microsoft Hv")))
			memcpy(sig, text, sizeof(text));
	}
#else
	(void)sig;
#endif
}

static bool cpuinfo_flag(const char *proc_root)
{
	_cleanup_free_ char *buf = NULL;
	struct text rest, line, word;
	char path[PATH_MAX];
	size_t len;

	if (snprintf(path, sizeof(path), "%s/cpuinfo", proc_root) >= (int)sizeof(path) ||
	    file_read(path, &buf, &len))
		return false;
	rest = (struct text){buf, len};
	while (text_line(&rest, &line)) {
		if (!text_starts(line, "flags"))
			continue;
		while (text_word(&line, &word))
			if (text_is(word, "hypervisor"))
				return true;
		return false;
	}
	return false;
}

/* Bytes 10 to 15 of any ACPI table. Root only, like much of what record needs. */
static void acpi_oem(const char *sys_root, char oem[7])
{
	_cleanup_free_ char *buf = NULL;
	char path[PATH_MAX];
	size_t len;

	if (snprintf(path, sizeof(path), "%s/firmware/acpi/tables/DSDT", sys_root) >=
		    (int)sizeof(path) ||
	    file_read(path, &buf, &len) || len < 36)
		return;
	text_copy((struct text){buf + 10, 6}, oem, 7);
}

static bool exists(const char *root, const char *name)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/%s", root, name) < (int)sizeof(path) &&
	       !access(path, F_OK);
}

static void cgroup_read(const char *proc_root, char *dst, size_t size)
{
	_cleanup_free_ char *buf = NULL;
	char path[PATH_MAX];
	size_t len;

	if (snprintf(path, sizeof(path), "%s/1/cgroup", proc_root) < (int)sizeof(path) &&
	    !file_read(path, &buf, &len))
		text_copy((struct text){buf, len}, dst, size);
}

/* The container's own files are reached through self/root: a recorded tree can hold them too. */
void virt_clues_read(const char *proc_root, const char *sys_root, struct virt_clues *out)
{
	struct virt_clues c = {0};
	char xen[64];

	if (!strcmp(proc_root, "/proc"))
		cpuid_signature(c.cpuid);
	c.cpu_flag = cpuinfo_flag(proc_root);
	(void)file_read_line(sys_root, "hypervisor/type", c.sys_hypervisor,
			     sizeof(c.sys_hypervisor));
	(void)file_read_line(proc_root, "xen/capabilities", xen, sizeof(xen));
	c.xen_control = strstr(xen, "control_d") != NULL;
	(void)file_read_line(proc_root, "device-tree/hypervisor/compatible", c.device_tree,
			     sizeof(c.device_tree));
	(void)file_read_line(sys_root, "class/dmi/id/product_name", c.product, sizeof(c.product));
	(void)file_read_line(sys_root, "class/dmi/id/sys_vendor", c.vendor, sizeof(c.vendor));
	(void)file_read_line(sys_root, "class/dmi/id/board_vendor", c.board, sizeof(c.board));
	(void)file_read_line(sys_root, "class/dmi/id/bios_vendor", c.bios, sizeof(c.bios));
	acpi_oem(sys_root, c.acpi_oem);
	(void)file_read_line(proc_root, "sys/kernel/osrelease", c.osrelease, sizeof(c.osrelease));
	(void)file_read_line(proc_root, "self/root/run/systemd/container", c.container,
			     sizeof(c.container));
	c.dockerenv = exists(proc_root, "self/root/.dockerenv");
	c.containerenv = exists(proc_root, "self/root/run/.containerenv");
	c.kubernetes = exists(proc_root, "self/root/run/secrets/kubernetes.io/serviceaccount");
	cgroup_read(proc_root, c.cgroup, sizeof(c.cgroup));
	*out = c;
}
