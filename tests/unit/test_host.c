// SPDX-License-Identifier: GPL-2.0-only
/* What a user would lose: which machine a capture is from, the path of a cgroup, the other names of
 * a cache. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <cmocka.h>

#include "proc/available.h"
#include "proc/cgroup.h"
#include "proc/host.h"
#include "proc/process.h"
#include "proc/slab_alias.h"
#include "proc/virt.h"
#include "tree.h"

/* ---- host facts ---- */

static void facts_of_fixture(const char *root)
{
	char *release = tree_read(root, "sys/kernel/osrelease", NULL);
	struct host_facts facts;

	release[strcspn(release, "\n")] = '\0';
	assert_int_equal(host_facts_read(root, "/nonexistent", &facts), 0);
	assert_string_equal(facts.release, release);
	assert_true(*facts.arch);
	assert_true(facts.mem_total_kb > 100000);
	assert_string_equal(facts.lockdown, "unknown");
	assert_string_equal(facts.build_id, "");
	assert_int_equal(facts.cpus_online, 0);
	/* QEMU without KVM and Firecracker: only the CPU flag shows them */
	assert_string_equal(facts.virtualization, "vm-other");
	free(release);
}

static void facts_of_recorded_kernels(void **state)
{
	(void)state;
	assert_true(tree_each_fixture(facts_of_fixture) >= 3);
}

static void facts_come_from_their_files(void **state)
{
	static const unsigned char notes[] = "\4\0\0\0\2\0\0\0\3\0\0\0GNU\0\xab\xcd";
	char *dir = tree_new();
	char proc[PATH_MAX], sys[PATH_MAX];
	struct host_facts f;

	(void)state;
	tree_path(proc, dir, "proc");
	tree_path(sys, dir, "sys");
	assert_int_equal(host_facts_read(proc, sys, &f), -ENOENT);
	tree_put(proc, "sys/kernel/osrelease", "6.12.9-amd64\n");
	tree_put(proc, "sys/kernel/version", "#1 SMP Debian\n");
	tree_put(proc, "sys/kernel/arch", "riscv64\n");
	tree_put(proc, "sys/kernel/hostname", "db-7\n");
	tree_put(proc, "sys/kernel/random/boot_id", "0b5c0ae2-0000-4000-8000-000000000000\n");
	tree_put(proc, "self/root/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
	tree_put(proc, "uptime", "1234.50 99.00\n");
	tree_put(proc, "meminfo", "MemTotal:  4096 kB\n");
	tree_put_bytes(sys, "kernel/notes", notes, sizeof(notes) - 1);
	tree_put(sys, "kernel/security/lockdown", "none [integrity] confidentiality\n");
	tree_put(sys, "devices/system/cpu/online", "0-3,8\n");
	tree_put(sys, "devices/system/cpu/possible", "0-127\n");

	assert_int_equal(host_facts_read(proc, sys, &f), 0);
	assert_string_equal(f.release, "6.12.9-amd64");
	assert_string_equal(f.version, "#1 SMP Debian");
	assert_string_equal(f.arch, "riscv64");
	assert_string_equal(f.hostname, "db-7");
	assert_string_equal(f.boot_id, "0b5c0ae2-0000-4000-8000-000000000000");
	assert_string_equal(f.machine_id, "0123456789abcdef0123456789abcdef");
	assert_string_equal(f.build_id, "abcd");
	assert_string_equal(f.lockdown, "integrity");
	assert_string_equal(f.virtualization, "none");
	assert_int_equal(f.cpus_online, 5);
	assert_int_equal(f.cpus_possible, 128);
	assert_int_equal(f.mem_total_kb, 4096);
	assert_true(f.uptime_s > 1234.4 && f.uptime_s < 1234.6);
	tree_remove(dir);
}

static void lockdown_of(const char *file, const char *text, const char *want)
{
	char *dir = tree_new();
	struct host_facts f;

	tree_put(dir, "sys/kernel/osrelease", "6.1\n");
	if (file)
		tree_put(dir, file, text);
	assert_int_equal(host_facts_read(dir, dir, &f), 0);
	assert_string_equal(f.lockdown, want);
	tree_remove(dir);
}

static void lockdown_is_not_guessed(void **state)
{
	(void)state;
	lockdown_of("kernel/security/lockdown", "[none] integrity confidentiality\n", "none");
	lockdown_of("kernel/security/lockdown", "none integrity [confidentiality]\n",
		    "confidentiality");
	lockdown_of("kernel/security/lockdown", "]garbage[", "unknown");
	lockdown_of("kernel/security/lockdown", "", "unknown");
	lockdown_of("kernel/security/lsm", "capability,apparmor",
		    "none");                /* mounted, no lockdown */
	lockdown_of(NULL, NULL, "unknown"); /* not mounted */
}

static void cpu_lists_are_counted(void **state)
{
	static const struct {
		const char *list;
		int count;
	} t[] = {
		{"0", 1},
		{"0-1", 2},
		{"0-3,8", 5},
		{"0,2,4-5", 4},
		{"0-65535", 65536},
		{"", -1},
		{"-", -1},
		{"3-1", -1},
		{"0-", -1},
		{"a", -1},
		{"0-99999999999999999999", -1},
		{",", -1},
		{"0-65535,0-65535", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++)
		assert_int_equal(cpu_list_count(t[i].list), t[i].count);
}

/* ---- virtualization ---- */

static void machines_and_containers_are_named(void **state)
{
	static const struct {
		const char *want;
		struct virt_clues clues;
	} t[] = {
		{"none", {.product = "PowerEdge R740", .vendor = "Dell Inc."}},
		{"none", {.cgroup = "0::/init.scope\n"}},
		{"kvm", {.cpuid = "KVMKVMKVM", .cpu_flag = true, .vendor = "QEMU"}},
		{"kvm", {.product = "KVM", .vendor = "QEMU"}},
		{"qemu", {.cpuid = "TCGTCGTCGTCG", .cpu_flag = true}},
		{"vmware", {.cpuid = "VMwareVMware", .cpu_flag = true, .vendor = "VMware, Inc."}},
		{"microsoft",
		 {.cpuid = "Microsoft Hv", .cpu_flag = true, .vendor = "Microsoft Corporation"}},
		{"wsl/microsoft",
		 {.cpuid = "Microsoft Hv", .osrelease = "5.15.90.1-microsoft-standard-WSL2"}},
		{"xen", {.cpuid = "XenVMMXenVMM", .cpu_flag = true}},
		{"xen", {.sys_hypervisor = "xen"}},
		{"none", {.cpuid = "XenVMMXenVMM", .sys_hypervisor = "xen", .xen_control = true}},
		{"oracle", {.product = "VirtualBox", .vendor = "innotek GmbH"}},
		{"oracle/kvm", {.cpuid = "KVMKVMKVM", .product = "VirtualBox"}},
		{"firecracker/kvm", {.cpuid = "KVMKVMKVM", .cpu_flag = true, .acpi_oem = "FIRECK"}},
		{"amazon/kvm",
		 {.cpuid = "KVMKVMKVM", .vendor = "Amazon EC2", .product = "m5.large"}},
		{"none", {.vendor = "Amazon EC2", .product = "m6g.metal"}},
		{"amazon/vm-other", {.vendor = "Amazon EC2", .product = "m6g.large"}},
		{"google/kvm", {.cpuid = "KVMKVMKVM", .product = "Google Compute Engine"}},
		{"kvm", {.device_tree = "linux,kvm"}},
		{"vm-other", {.device_tree = "somebody,else"}},
		{"vm-other", {.cpu_flag = true}},
		{"vm-other", {.cpuid = "NobodyKnows!"}},
		{"container:docker", {.dockerenv = true, .cgroup = "0::/\n"}},
		{"kvm+container:docker", {.cpuid = "KVMKVMKVM", .dockerenv = true}},
		{"firecracker/kvm+container:docker",
		 {.cpuid = "KVMKVMKVM", .acpi_oem = "FIRECK", .dockerenv = true}},
		{"container:docker", {.cgroup = "4:memory:/docker/0123abc\n"}},
		{"container:kubernetes", {.cgroup = "4:memory:/kubepods/burstable/pod1\n"}},
		{"container:kubernetes", {.kubernetes = true, .containerenv = true}},
		{"container:podman", {.containerenv = true}},
		{"container:podman", {.cgroup = "0::/machine.slice/libpod-1.scope\n"}},
		{"container:lxc", {.cgroup = "4:memory:/lxc/web\n"}},
		{"container:lxc", {.container = "lxc"}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		char name[VIRT_NAME_MAX];

		virt_name(&t[i].clues, name);
		assert_string_equal(name, t[i].want);
	}
}

static void clues_are_found_in_the_trees(void **state)
{
	char *dir = tree_new(), dsdt[64] = "DSDT";
	struct virt_clues c;

	(void)state;
	virt_clues_read(dir, dir, &c);
	assert_int_equal(c.cpuid[0],
			 '\0'); /* CPUID would describe the machine that runs this test */
	assert_false(c.cpu_flag || c.dockerenv || c.containerenv || c.kubernetes || c.xen_control);

	memcpy(dsdt + 10, "FIRECKFCVMDSDT", 14);
	tree_put(dir, "cpuinfo", "processor\t: 0\nflags\t\t: fpu hypervisor lahf_lm\n");
	tree_put(dir, "hypervisor/type", "xen\n");
	tree_put(dir, "xen/capabilities", "control_d\n");
	tree_put(dir, "device-tree/hypervisor/compatible", "linux,kvm");
	tree_put(dir, "class/dmi/id/product_name", "m5.large\n");
	tree_put(dir, "class/dmi/id/sys_vendor", "Amazon EC2\n");
	tree_put_bytes(dir, "firmware/acpi/tables/DSDT", dsdt, sizeof(dsdt));
	tree_put(dir, "self/root/run/systemd/container", "lxc\n");
	tree_put(dir, "self/root/.dockerenv", "");
	tree_put(dir, "self/root/run/.containerenv", "");
	tree_put(dir, "self/root/run/secrets/kubernetes.io/serviceaccount/", "");
	tree_put(dir, "1/cgroup", "4:memory:/docker/1\n0::/\n");
	virt_clues_read(dir, dir, &c);
	assert_true(c.cpu_flag && c.dockerenv && c.containerenv && c.kubernetes && c.xen_control);
	assert_string_equal(c.sys_hypervisor, "xen");
	assert_string_equal(c.device_tree, "linux,kvm");
	assert_string_equal(c.product, "m5.large");
	assert_string_equal(c.vendor, "Amazon EC2");
	assert_string_equal(c.acpi_oem, "FIRECK");
	assert_string_equal(c.container, "lxc");
	assert_string_equal(c.cgroup, "4:memory:/docker/1\n0::/\n");
	tree_remove(dir);
}

/* ---- slab aliases ---- */

/* Build the links from the recorded "name -> :id" lines, and find each name through them. */
static void aliases_of_fixture(const char *root)
{
	char *text = tree_read(root, "slab-aliases", NULL), *save = NULL, *line, *sys = tree_new();
	struct {
		char name[64], id[64];
	} *all = calloc(4096, sizeof(*all));
	struct slab_aliases *set = NULL;
	size_t lines = 0;

	assert_non_null(all);
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save), lines++) {
		char path[128];

		assert_true(lines < 4096);
		assert_int_equal(sscanf(line, "%63s -> %63s", all[lines].name, all[lines].id), 2);
		snprintf(path, sizeof(path), "kernel/slab/%s", all[lines].name);
		tree_link(sys, path, all[lines].id);
	}
	tree_put(sys, "kernel/slab/dentry/", "");
	assert_int_equal(slab_aliases_load(sys, &set), 0);
	for (size_t i = 0; i < lines; i++) {
		size_t nr, want = 0, own = 0;
		const char *const *names = slab_aliases_of(set, all[i].name, &nr);

		for (size_t j = 0; j < lines; j++) {
			bool listed = false;

			for (size_t k = 0; k < nr; k++)
				listed |= !strcmp(names[k], all[j].name);
			assert_int_equal(listed, !strcmp(all[i].id, all[j].id));
			want += listed;
		}
		for (size_t k = 0; k < nr; k++)
			own += !strcmp(names[k], all[i].name);
		assert_int_equal(nr, want);
		assert_int_equal(own, 1);
	}
	assert_true(lines > 10);
	slab_aliases_free(set);
	tree_remove(sys);
	free(all);
	free(text);
}

static void merged_caches_of_recorded_kernels_know_their_names(void **state)
{
	(void)state;
	assert_true(tree_each_fixture(aliases_of_fixture) >= 3);
}

static void links_that_are_no_merged_cache_are_left_out(void **state)
{
	struct slab_aliases *set = NULL;
	const char *const *names;
	char *sys = tree_new();
	size_t nr = 7;

	(void)state;
	assert_int_equal(slab_aliases_load(sys, &set), -ENOENT);
	assert_null(slab_aliases_of(NULL, "dentry", &nr));
	assert_int_equal(nr, 0);

	tree_put(sys, "kernel/slab/dentry/", "");
	tree_put(sys, "kernel/slab/:0000192/", "");
	tree_link(sys, "kernel/slab/b", ":0000192");
	tree_link(sys, "kernel/slab/a", "../slab/:0000192");
	tree_link(sys, "kernel/slab/elsewhere", "/etc/passwd");
	assert_int_equal(slab_aliases_load(sys, &set), 0);
	names = slab_aliases_of(set, "b", &nr);
	assert_int_equal(nr, 2);
	assert_string_equal(names[0], "a");
	assert_string_equal(names[1], "b");
	assert_null(slab_aliases_of(set, "dentry", &nr));
	assert_null(slab_aliases_of(set, "elsewhere", &nr));
	assert_null(slab_aliases_of(set, ":0000192", &nr));
	assert_int_equal(nr, 0);
	slab_aliases_free(set);
	tree_remove(sys);
}

/* ---- cgroups ---- */

static uint64_t inode_of(const char *root, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	tree_path(path, root, name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static void cgroup_ids_become_paths(void **state)
{
	char *dir = tree_new(), mounts[2 * PATH_MAX];
	struct cgroups *cg = NULL;
	uint64_t web, late;

	(void)state;
	assert_int_equal(cgroups_load(dir, &cg), -ENOENT);
	tree_put(dir, "self/mounts", "cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n\nshort\n");
	assert_int_equal(cgroups_load(dir, &cg), -ENOENT); /* only v1 is mounted */

	/* blanks in a mount point are escaped in mounts */
	tree_put(dir, "uni fied/system.slice/web.service/", "");
	tree_put(dir, "uni fied/system.slice/cgroup.procs", "1\n");
	tree_put(dir, "uni fied/user.slice/", "");
	tree_link(dir, "uni fied/outside", "/");
	snprintf(mounts, sizeof(mounts),
		 "tmpfs / tmpfs rw 0 0\ncgroup2 %s/uni\\040fied cgroup2 rw 0 0", dir);
	tree_put(dir, "self/mounts", mounts);
	assert_int_equal(cgroups_load(dir, &cg), 0);
	web = inode_of(dir, "uni fied/system.slice/web.service");
	assert_string_equal(cgroups_path(cg, inode_of(dir, "uni fied")), "/");
	assert_string_equal(cgroups_path(cg, inode_of(dir, "uni fied/user.slice")), "/user.slice");
	assert_string_equal(cgroups_path(cg, web), "/system.slice/web.service");
	assert_string_equal(cgroups_path(cg, inode_of(dir, "uni fied/system.slice/cgroup.procs")),
			    "");
	assert_string_equal(cgroups_path(cg, inode_of(dir, "self")), "");
	assert_string_equal(cgroups_path(cg, 0), "");
	assert_string_equal(cgroups_path(NULL, web), "");

	/* new ones are found, removed ones are remembered */
	tree_put(dir, "uni fied/late.scope/", "");
	tree_path(mounts, dir, "uni fied/system.slice/web.service");
	late = inode_of(dir, "uni fied/late.scope");
	assert_int_equal(rmdir(mounts), 0);
	assert_int_equal(cgroups_refresh(cg), 0);
	assert_string_equal(cgroups_path(cg, late), "/late.scope");
	assert_string_equal(cgroups_path(cg, web), "/system.slice/web.service");
	cgroups_free(cg);
	tree_remove(dir);
}

/* ---- processes, files ---- */

static void command_lines_are_one_bounded_string(void **state)
{
	char *dir = tree_new(), line[16];

	(void)state;
	tree_put_bytes(dir, "7/cmdline", "nginx:\0-g\0\0x\0\0", 15);
	tree_put_bytes(dir, "8/cmdline", "", 0);
	tree_put(dir, "9/cmdline", "0123456789abcdefghijkl");
	assert_int_equal(process_cmdline(dir, 7, line, sizeof(line)), 0);
	assert_string_equal(line, "nginx: -g  x");
	assert_int_equal(process_cmdline(dir, 8, line, sizeof(line)), 0);
	assert_string_equal(line, "");
	assert_int_equal(process_cmdline(dir, 9, line, sizeof(line)), 0);
	assert_string_equal(line, "0123456789abcde");
	assert_int_equal(process_cmdline(dir, 10, line, sizeof(line)), -ENOENT);
	assert_string_equal(line, "");
	tree_remove(dir);
}

static void files_are_read_whole_whatever_their_size(void **state)
{
	static const size_t sizes[] = {0, 1, 32766, 32767, 32768, 32769, 65535, 65536, 200000};
	char *dir = tree_new(), *data = malloc(200000), *buf, first[8];

	(void)state;
	assert_non_null(data);
	for (size_t i = 0; i < 200000; i++)
		data[i] = (char)(i * 7);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		size_t len;

		tree_put_bytes(dir, "f", data, sizes[i]);
		buf = tree_read(dir, "f", &len);
		assert_int_equal(len, sizes[i]);
		assert_memory_equal(buf, data, len);
		assert_int_equal(buf[len], '\0');
		free(buf);
	}
	tree_put(dir, "line", "six \t\nseven\n");
	assert_int_equal(file_read_line(dir, "line", first, sizeof(first)), 0);
	assert_string_equal(first, "six");
	tree_put(dir, "line", "much too long for it");
	assert_int_equal(file_read_line(dir, "line", first, sizeof(first)), 0);
	assert_string_equal(first, "much to");
	assert_int_equal(file_read_line(dir, "absent", first, sizeof(first)), -ENOENT);
	assert_string_equal(first, "");
	assert_int_equal(file_read(dir, &buf, &(size_t){0}), -EISDIR);
	free(data);
	tree_remove(dir);
}

/* ---- memory that can be had ---- */

static void a_memory_limit_of_a_cgroup_is_what_is_available(void **state)
{
	char *dir = tree_new(), proc[PATH_MAX], mounts[3 * PATH_MAX], v1[PATH_MAX], v2[PATH_MAX];
	struct memory_available a = {};

	(void)state;
	tree_path(proc, dir, "proc");
	tree_path(v1, dir, "v1");
	tree_path(v2, dir, "v2");
	assert_int_equal(memory_available_read(proc, &a), -ENOENT);
	tree_put(proc, "meminfo",
		 "MemTotal: 8000000 kB\nMemFree: 1000 kB\nMemAvailable: 4000000 kB\n");
	assert_int_equal(memory_available_read(proc, &a), 0);
	assert_int_equal(a.bytes, 4000000ull << 10);
	assert_string_equal(a.cgroup, "");

	/* two trees; the second has limits, of the process's cgroup and of its parent */
	snprintf(mounts, sizeof(mounts),
		 "none %s cgroup rw,cpu,memory 0 0\nnone %s cgroup2 rw 0 0\n", v1, v2);
	tree_put(proc, "self/mounts", mounts);
	tree_put(proc, "self/cgroup", "4:cpu,memory:/a/b\n0::/pod/one\n");
	tree_put(v2, "pod/memory.max", "300000000\n");
	tree_put(v2, "pod/memory.current", "250000000\n");
	tree_put(v2, "pod/memory.stat", "anon 1\ninactive_file 50000000\nfile 1\n");
	tree_put(v2, "pod/one/memory.max", "max\n");
	tree_put(v2, "pod/one/memory.current", "250000000\n");
	assert_int_equal(memory_available_read(proc, &a), 0);
	assert_int_equal(a.bytes, 100000000);
	assert_string_equal(a.cgroup + strlen(v2), "/pod");

	/* the limit of the first is lower, and used up */
	tree_put(v1, "a/b/memory.limit_in_bytes", "9223372036854771712\n");
	tree_put(v1, "a/b/memory.usage_in_bytes", "5000\n");
	tree_put(v1, "memory.limit_in_bytes", "4096\n");
	tree_put(v1, "memory.usage_in_bytes", "5000\n");
	assert_int_equal(memory_available_read(proc, &a), 0);
	assert_int_equal(a.bytes, 0);
	assert_string_equal(a.cgroup, v1);
	tree_remove(dir);
}

static void memory_is_available_on_recorded_kernels(const char *root)
{
	struct memory_available a = {};

	assert_int_equal(memory_available_read(root, &a), 0);
	assert_true(a.bytes > 100 << 20);
}

static void memory_available_of_recorded_kernels(void **state)
{
	(void)state;
	assert_true(tree_each_fixture(memory_is_available_on_recorded_kernels) >= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_memory_limit_of_a_cgroup_is_what_is_available),
		cmocka_unit_test(memory_available_of_recorded_kernels),
		cmocka_unit_test(facts_of_recorded_kernels),
		cmocka_unit_test(facts_come_from_their_files),
		cmocka_unit_test(lockdown_is_not_guessed),
		cmocka_unit_test(cpu_lists_are_counted),
		cmocka_unit_test(machines_and_containers_are_named),
		cmocka_unit_test(clues_are_found_in_the_trees),
		cmocka_unit_test(merged_caches_of_recorded_kernels_know_their_names),
		cmocka_unit_test(links_that_are_no_merged_cache_are_left_out),
		cmocka_unit_test(cgroup_ids_become_paths),
		cmocka_unit_test(command_lines_are_one_bounded_string),
		cmocka_unit_test(files_are_read_whole_whatever_their_size),
	};

	return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
