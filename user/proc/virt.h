/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtualization that the kernel or this process runs in: a hypervisor, a container, or both.
 * Collecting the clues reads the machine; naming them is pure. The sources are those of
 * systemd-detect-virt(1), but both the container and the machine are named.
 */
#ifndef KMEMTRACE_PROC_VIRT_H
#define KMEMTRACE_PROC_VIRT_H

#include <stdbool.h>
#include <stddef.h>

#define VIRT_NAME_MAX 64

struct virt_clues {
	char cpuid[13]; /* hypervisor signature, CPUID 0x40000000; "" for none, or no such CPU */
	bool cpu_flag;  /* "hypervisor" among the flags of /proc/cpuinfo */
	char sys_hypervisor[32]; /* /sys/hypervisor/type */
	bool xen_control;        /* /proc/xen/capabilities says control_d: the host's own domain */
	char device_tree[64];    /* /proc/device-tree/hypervisor/compatible */
	char product[64];        /* DMI: product_name, */
	char vendor[64];         /* sys_vendor, */
	char board[64];          /* board_vendor, */
	char bios[64];           /* bios_vendor */
	char acpi_oem[7];        /* OEM id of the DSDT */
	char osrelease[128];     /* of the kernel: WSL names itself there */
	char container[32];      /* what the container manager says in /run/systemd/container */
	bool dockerenv;          /* /.dockerenv */
	bool containerenv;       /* /run/.containerenv: podman */
	bool kubernetes;         /* a service account is mounted */
	char cgroup[512];        /* of process 1 as seen here, cut */
};

/*
 * Read the clues. CPUID is read only if proc_root is "/proc", because it describes this machine,
 * not that of a recorded tree. What cannot be read is left empty.
 */
void virt_clues_read(const char *proc_root, const char *sys_root, struct virt_clues *out);

/*
 * "none", "kvm", "vmware", "microsoft", "xen", "qemu" (no KVM), "vm-other", …. A platform with a
 * name of its own stands before it: "firecracker/kvm", "amazon/kvm". In a container, the name is
 * "container:NAME"; if the machine is virtual too, both, with "+": "kvm+container:docker".
 */
void virt_name(const struct virt_clues *clues, char name[VIRT_NAME_MAX]);

#endif
