// SPDX-License-Identifier: GPL-2.0-only
/* Plants of sockets, and of what hangs on sockets. `stack` has the types, by the kernel's source.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <limits.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in6.h>
#include <sys/socket.h>

#include "plant.h"

#ifndef AF_XDP
#define AF_XDP 44
#endif
#ifndef IPV6_FLOWLABEL_MGR
#define IPV6_FLOWLABEL_MGR 32
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static int tun_step(long i, long size)
{
	(void)i, (void)size;
	return result(open("/dev/net/tun", O_RDWR | O_CLOEXEC));
}

static int xdp_step(long i, long size)
{
	(void)i, (void)size;
	return result(socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int vsock_step(long i, long size)
{
	(void)i, (void)size;
	return result(socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int net_setup(long count, long size)
{
	(void)count, (void)size;
	return private_net();
}

static int bind_local(int fd, long port)
{
	const struct sockaddr_in here = {.sin_family = AF_INET,
					 .sin_port = htons((unsigned short)port),
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	return fd < 0 ? -errno : result(bind(fd, (const struct sockaddr *)&here, sizeof(here)));
}

static int mptcp_step(long i, long size)
{
	(void)i, (void)size;
	return bind_local(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP), 0);
}

/* Each port has its own group of sockets that share it. */
static int reuseport_step(long i, long size)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1;

	(void)size;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)))
		return -errno;
	return bind_local(fd, 1024 + i);
}

static int fanout_step(long i, long size)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL)), group = (int)i + 1;

	(void)size;
	return fd < 0 ? -errno
		      : result(setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &group, sizeof(group)));
}

/* Files that are sent and never received. */
static int inflight[2] = {-1, -1}, sent_file = -1;

static int inflight_setup(long count, long size)
{
	int most = INT_MAX / 2;

	(void)count, (void)size;
	sent_file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (sent_file < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, inflight))
		return -errno;
	return result(setsockopt(inflight[0], SOL_SOCKET, SO_SNDBUFFORCE, &most, sizeof(most)));
}

static int inflight_step(long i, long size)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS,
				.cmsg_len = CMSG_LEN(sizeof(int))}};
	char c = 0;
	struct iovec data = {&c, 1};
	struct msghdr m = {.msg_iov = &data,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof(control)};

	(void)i, (void)size;
	*(int *)CMSG_DATA(&control.header) = sent_file;
	return result(sendmsg(inflight[0], &m, MSG_DONTWAIT));
}

static int flowlabel_fd = -1;

static int flowlabel_setup(long count, long size)
{
	int err = net_setup(count, size);

	flowlabel_fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return err ?: result(flowlabel_fd);
}

static int flowlabel_step(long i, long size)
{
	struct in6_flowlabel_req r = {.flr_action = IPV6_FL_A_GET,
				      .flr_share = IPV6_FL_S_EXCL,
				      .flr_flags = IPV6_FL_F_CREATE};

	(void)i, (void)size;
	r.flr_dst.s6_addr[15] = 1;
	return result(setsockopt(flowlabel_fd, IPPROTO_IPV6, IPV6_FLOWLABEL_MGR, &r, sizeof(r)));
}

/* A socket may join few groups, so it takes one for each 16. */
static int mcast6_step(long i, long size)
{
	struct ipv6_mreq group = {.ipv6mr_interface = 1};
	static int fd = -1;

	(void)size;
	group.ipv6mr_multiaddr.s6_addr[0] = 0xff;
	group.ipv6mr_multiaddr.s6_addr[1] = 0x05;
	group.ipv6mr_multiaddr.s6_addr[14] = (unsigned char)(1 + (i >> 8));
	group.ipv6mr_multiaddr.s6_addr[15] = (unsigned char)i;
	if (i % 16 == 0)
		fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd < 0 ? -errno
		      : result(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group,
					  sizeof(group)));
}

const struct kind sockets_kinds[] = {
	{"tuns", "open /dev/net/tun", "kmalloc*", "tun_file", "openat", 0, NULL, tun_step, NULL},
	{"xdps", "AF_XDP sockets", "kmalloc*", "xdp_sock", "socket", 0, NULL, xdp_step, NULL},
	{"vsocks", "AF_VSOCK sockets", "AF_VSOCK", "vsock_sock", "socket", 0, NULL, vsock_step,
	 NULL},
	{"mptcps", "MPTCP sockets, bound", "MPTCP,kmalloc*", "mptcp_sock,mptcp_subflow_context",
	 "bind", 0, net_setup, mptcp_step, NULL},
	{"reuseports", "UDP sockets that share a port", "kmalloc*", "sock_reuseport", "bind", 0,
	 net_setup, reuseport_step, NULL},
	{"fanouts", "groups of packet sockets", "kmalloc*", "packet_fanout", "setsockopt", 0,
	 net_setup, fanout_step, NULL},
	{"inflights", "files sent through a Unix socket", "kmalloc*", "scm_fp_list", "sendmsg", 0,
	 inflight_setup, inflight_step, NULL},
	{"flowlabels", "flow labels of IPv6", "kmalloc*", "ip6_flowlabel,ipv6_fl_socklist",
	 "setsockopt", 0, flowlabel_setup, flowlabel_step, NULL},
	{"mcast6", "multicast groups of IPv6", "kmalloc*", "ifmcaddr6,ipv6_mc_socklist",
	 "setsockopt", 0, net_setup, mcast6_step, NULL},
	{0},
};
