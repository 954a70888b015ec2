// SPDX-License-Identifier: GPL-2.0-only
/* plant KIND COUNT: make the kernel hold COUNT objects of one kind until stdin closes or a signal
 * arrives. */
#include "plant.h"

int main(int argc, char **argv)
{
	const struct kind *const tables[] = {
		files_kinds,   ipc_kinds,   net_kinds,     memory_kinds,  bpf_kinds,    ring_kinds,
		objects_kinds, watch_kinds, netlink_kinds, sockets_kinds, mounts_kinds, NULL};

	return kinds_main(argc, argv, tables);
}
