// SPDX-License-Identifier: GPL-2.0-only
/* Plants in sockets and network namespaces. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_packet.h>
#include <sched.h>
#include <sys/socket.h>

#include "plant.h"

#define UNIX_MAX 4096

/* One pair holds all packets: root may raise the send buffer beyond the usual limit. */
static int pair[2] = {-1, -1};

static int unix_setup(long count, long size)
{
	int most = INT_MAX / 2;

	(void)count;
	if (size < 1 || size > UNIX_MAX)
		return -EINVAL;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	return result(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &most, sizeof(most)));
}

static int unix_step(long i, long size)
{
	static char data[UNIX_MAX];

	(void)i;
	return result(send(pair[0], data, (size_t)size, MSG_DONTWAIT));
}

static int udp_step(long i, long size)
{
	(void)i, (void)size;
	return result(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

/* A connection to ourselves for each object; nobody reads the --size bytes that it carries. */
static struct sockaddr_in tcp_here;
static int tcp_listener = -1;

static int tcp_setup(long count, long size)
{
	socklen_t length = sizeof(tcp_here);
	int most = INT_MAX / 2;

	(void)count, (void)size;
	tcp_here = (struct sockaddr_in){.sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	tcp_listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (tcp_listener < 0 ||
	    setsockopt(tcp_listener, SOL_SOCKET, SO_RCVBUFFORCE, &most, sizeof(most)) ||
	    bind(tcp_listener, (struct sockaddr *)&tcp_here, sizeof(tcp_here)) ||
	    listen(tcp_listener, 8))
		return -errno;
	return result(getsockname(tcp_listener, (struct sockaddr *)&tcp_here, &length));
}

static int tcp_step(long i, long size)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), most = INT_MAX / 2;
	static char data[65536];
	long sent;

	(void)i;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &most, sizeof(most)) ||
	    connect(fd, (struct sockaddr *)&tcp_here, sizeof(tcp_here)) ||
	    accept(tcp_listener, NULL, NULL) < 0)
		return -errno;
	for (; size > 0; size -= sent) {
		sent = send(fd, data, size < (long)sizeof(data) ? (size_t)size : sizeof(data),
			    MSG_DONTWAIT);
		if (sent < 0)
			return -errno;
	}
	return 0;
}

/* With protocol 0, the ring exists but never receives a packet. */
static int packet_step(long i, long size)
{
	const unsigned int block = 65536, frame = 2048;
	struct tpacket_req ring = {.tp_block_size = block,
				   .tp_block_nr = (unsigned int)size / block,
				   .tp_frame_size = frame,
				   .tp_frame_nr = (unsigned int)size / frame};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	(void)i;
	if (fd < 0)
		return -errno;
	return result(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)));
}

static int netns_step(long i, long size)
{
	(void)i, (void)size;
	if (unshare(CLONE_NEWNET))
		return -errno;
	return result(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
}

const struct kind net_kinds[] = {
	{"unix", "packets of --size bytes queued in a unix socket", "skbuff_small_head,kmalloc-*",
	 "kmalloc_reserve,__alloc_skb,__kmalloc_reserve", "sendto", 100, unix_setup, unix_step,
	 NULL},
	{"udp", "UDP sockets", "UDP", "sk_prot_alloc,sk_alloc", "socket", 0, NULL, udp_step, NULL},
	{"tcp", "TCP connections, each with --size bytes that nobody reads", "-",
	 "tcp_sendmsg_locked,tcp_sendmsg", "sendto", 65536, tcp_setup, tcp_step, NULL},
	{"packet", "AF_PACKET rings of --size bytes (in no meminfo line)", "-",
	 "packet_set_ring,alloc_one_pg_vec_page,alloc_pg_vec", "setsockopt", 1 << 20, NULL,
	 packet_step, NULL},
	{"netns", "network namespaces (every pool at once)", "net_namespace", "copy_net_ns",
	 "unshare", 0, NULL, netns_step, NULL},
	{0},
};
