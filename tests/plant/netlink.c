// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plants that are made by netlink: routes, addresses, neighbours, rules, traffic classes, tables of
 * nftables, IPsec policies. All are in a network namespace of their own, on one end of a veth pair.
 * `stack` has the types, by the kernel's source.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>
#include <linux/fib_rules.h>
#include <linux/if_ether.h>
#include <linux/neighbour.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/nexthop.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "plant.h"

#define DEVICE "plant"
#define ANSWER 8192

/* ---- messages ---- */

/* Messages of one datagram, of which the last one is being filled. */
static struct {
	_Alignas(NLMSG_ALIGNTO) char bytes[2048];
	size_t used;
	struct nlmsghdr *last;
	int fd;
} nl;

static char *nl_end(void)
{
	return nl.bytes + nl.used;
}

static void *nl_append(const void *data, size_t len)
{
	char *at = nl_end();

	memcpy(at, data, len);
	nl.used += NLMSG_ALIGN(len);
	nl.last->nlmsg_len = (unsigned int)(nl_end() - (char *)nl.last);
	return at;
}

static void nl_message(int type, int flags, const void *header, size_t len)
{
	const struct nlmsghdr h = {.nlmsg_type = (unsigned short)type,
				   .nlmsg_flags = (unsigned short)(NLM_F_REQUEST | flags)};

	nl.last = (struct nlmsghdr *)nl_end();
	nl_append(&h, sizeof(h));
	nl_append(header, len);
}

static struct nlattr *nl_attr(int type, const void *data, size_t len)
{
	const struct nlattr a = {.nla_type = (unsigned short)type,
				 .nla_len = (unsigned short)(NLA_HDRLEN + len)};
	struct nlattr *at = nl_append(&a, sizeof(a));

	if (len)
		nl_append(data, len);
	return at;
}

static void nl_number(int type, unsigned int number)
{
	nl_attr(type, &number, sizeof(number));
}

static void nl_text(int type, const char *text)
{
	nl_attr(type, text, strlen(text) + 1);
}

static struct nlattr *nl_nest(int type)
{
	return nl_attr(type | NLA_F_NESTED, NULL, 0);
}

static void nl_nest_end(struct nlattr *nest)
{
	nest->nla_len = (unsigned short)(nl_end() - (char *)nest);
}

/* Send the messages, one of which asks for an answer, and wait for that. 0 or −errno. */
static int nl_send(void)
{
	_Alignas(NLMSG_ALIGNTO) char answer[ANSWER];
	const struct nlmsghdr *h = (const struct nlmsghdr *)answer;
	ssize_t n = send(nl.fd, nl.bytes, nl.used, 0);

	nl.used = 0;
	n = n < 0 ? n : recv(nl.fd, answer, sizeof(answer), 0);
	if (n < 0)
		return -errno;
	if ((size_t)n < NLMSG_LENGTH(sizeof(struct nlmsgerr)) || h->nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
}

#define NL_NEW (NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK)

/* ---- the namespace ---- */

static unsigned int device;

static int nl_open(int protocol)
{
	nl.fd = socket(AF_NETLINK, SOCK_RAW, protocol);
	return result(nl.fd);
}

int private_net(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd, err;

	if (unshare(CLONE_NEWNET))
		return -errno;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0)
		return -errno;
	err = result(ioctl(fd, SIOCSIFFLAGS, &lo));
	close(fd);
	return err;
}

static int link_up(const char *name)
{
	const struct ifinfomsg up = {
		.ifi_index = (int)if_nametoindex(name), .ifi_flags = IFF_UP, .ifi_change = IFF_UP};

	nl_message(RTM_NEWLINK, NLM_F_ACK, &up, sizeof(up));
	return nl_send();
}

static int link_setup(long count, long size)
{
	const struct ifinfomsg link = {.ifi_family = AF_UNSPEC};
	int err = private_net() ?: nl_open(NETLINK_ROUTE);
	struct nlattr *info;

	(void)count, (void)size;
	if (err)
		return err;
	nl_message(RTM_NEWLINK, NL_NEW, &link, sizeof(link));
	nl_text(IFLA_IFNAME, DEVICE);
	info = nl_nest(IFLA_LINKINFO);
	nl_text(IFLA_INFO_KIND, "veth");
	nl_nest_end(info);
	err = nl_send() ?: link_up(DEVICE) ?: link_up("veth0");
	device = if_nametoindex(DEVICE);
	return err;
}

static struct in_addr address4(long i)
{
	return (struct in_addr){htonl(0x0a000001u + (unsigned int)i)};
}

static struct in6_addr address6(long i)
{
	struct in6_addr a = {.s6_addr = {0xfd, 0x11}};

	a.s6_addr[14] = (unsigned char)(i >> 8);
	a.s6_addr[15] = (unsigned char)i;
	a.s6_addr[13] = (unsigned char)(1 + (i >> 16));
	return a;
}

/* ---- routes, addresses, neighbours, rules ---- */

static int route(int family, const void *to, unsigned int len, long i)
{
	const struct rtmsg r = {.rtm_family = (unsigned char)family,
				.rtm_dst_len = (unsigned char)(8 * len),
				.rtm_table = RT_TABLE_MAIN,
				.rtm_protocol = RTPROT_BOOT,
				.rtm_scope = RT_SCOPE_LINK,
				.rtm_type = RTN_UNICAST};

	nl_message(RTM_NEWROUTE, NL_NEW, &r, sizeof(r));
	nl_attr(RTA_DST, to, len);
	nl_number(RTA_OIF, device);
	nl_number(RTA_PRIORITY, (unsigned int)i + 1); /* else routes share their next hop */
	return nl_send();
}

static int route4_step(long i, long size)
{
	const struct in_addr to = address4(i);

	(void)size;
	return route(AF_INET, &to, sizeof(to), i);
}

static int route6_step(long i, long size)
{
	const struct in6_addr to = address6(i);

	(void)size;
	return route(AF_INET6, &to, sizeof(to), i);
}

static int address(int family, const void *a, unsigned int len)
{
	const struct ifaddrmsg m = {.ifa_family = (unsigned char)family,
				    .ifa_prefixlen = (unsigned char)(8 * len),
				    .ifa_flags = IFA_F_NODAD,
				    .ifa_index = device};

	nl_message(RTM_NEWADDR, NL_NEW, &m, sizeof(m));
	nl_attr(IFA_LOCAL, a, len);
	nl_attr(IFA_ADDRESS, a, len);
	return nl_send();
}

static int addr4_step(long i, long size)
{
	const struct in_addr a = address4(i);

	(void)size;
	return address(AF_INET, &a, sizeof(a));
}

static int addr6_step(long i, long size)
{
	const struct in6_addr a = address6(i);

	(void)size;
	return address(AF_INET6, &a, sizeof(a));
}

static int neigh_step(long i, long size)
{
	const struct ndmsg m = {
		.ndm_family = AF_INET, .ndm_ifindex = (int)device, .ndm_state = NUD_PERMANENT};
	const struct in_addr a = address4(i);

	(void)size;
	nl_message(RTM_NEWNEIGH, NL_NEW, &m, sizeof(m));
	nl_attr(NDA_DST, &a, sizeof(a));
	nl_attr(NDA_LLADDR, "\2plant", ETH_ALEN);
	return nl_send();
}

static int rule_step(long i, long size)
{
	const struct fib_rule_hdr m = {
		.family = AF_INET, .src_len = 32, .table = RT_TABLE_MAIN, .action = FR_ACT_TO_TBL};
	const struct in_addr a = address4(i);

	(void)size;
	nl_message(RTM_NEWRULE, NL_NEW, &m, sizeof(m));
	nl_attr(FRA_SRC, &a, sizeof(a));
	nl_number(FRA_PRIORITY, (unsigned int)i + 1);
	return nl_send();
}

static int nexthop_step(long i, long size)
{
	const struct nhmsg m = {.nh_family = AF_INET, .nh_protocol = RTPROT_BOOT};

	(void)size;
	nl_message(RTM_NEWNEXTHOP, NL_NEW, &m, sizeof(m));
	nl_number(NHA_ID, (unsigned int)i + 1);
	nl_number(NHA_OIF, device);
	return nl_send();
}

/* ---- traffic control ---- */

static void tc_message(int type, unsigned int parent, unsigned int handle, unsigned int info,
		       const char *kind)
{
	const struct tcmsg m = {.tcm_ifindex = (int)device,
				.tcm_parent = parent,
				.tcm_handle = handle,
				.tcm_info = info};

	nl_message(type, NL_NEW, &m, sizeof(m));
	nl_text(TCA_KIND, kind);
}

static int class_setup(long count, long size)
{
	const struct tc_htb_glob global = {.version = 3, .rate2quantum = 10};
	int err = link_setup(count, size);
	struct nlattr *options;

	if (err)
		return err;
	tc_message(RTM_NEWQDISC, TC_H_ROOT, 1 << 16, 0, "htb");
	options = nl_nest(TCA_OPTIONS);
	nl_attr(TCA_HTB_INIT, &global, sizeof(global));
	nl_nest_end(options);
	return nl_send();
}

static int class_step(long i, long size)
{
	const struct tc_ratespec rate = {.linklayer = TC_LINKLAYER_ETHERNET, .rate = 1000000};
	const struct tc_htb_opt htb = {
		.rate = rate, .ceil = rate, .buffer = 10000, .cbuffer = 10000, .quantum = 2000};
	struct nlattr *options;

	(void)size;
	tc_message(RTM_NEWTCLASS, 1 << 16, 1 << 16 | (unsigned int)(i + 1), 0, "htb");
	options = nl_nest(TCA_OPTIONS);
	nl_attr(TCA_HTB_PARMS, &htb, sizeof(htb));
	nl_nest_end(options);
	return nl_send();
}

static int filter_setup(long count, long size)
{
	int err = link_setup(count, size);

	if (err)
		return err;
	tc_message(RTM_NEWQDISC, TC_H_INGRESS, 0xffff0000, 0, "ingress");
	return nl_send();
}

static int filter_step(long i, long size)
{
	const struct tc_u32_sel sel = {.nkeys = 1, .flags = TC_U32_TERMINAL};
	const struct tc_u32_key key = {
		.mask = htonl(0xffffffff), .val = address4(i).s_addr, .off = 12};
	char match[sizeof(sel) + sizeof(key)]; /* sel.keys[] is at the end of it */
	struct nlattr *options;

	(void)size;
	tc_message(RTM_NEWTFILTER, 0xffff0000, 0, (unsigned int)(i + 1) << 16 | htons(ETH_P_IP),
		   "u32");
	options = nl_nest(TCA_OPTIONS);
	nl_number(TCA_U32_CLASSID, 1);
	memcpy(match, &sel, sizeof(sel));
	memcpy(match + sizeof(sel), &key, sizeof(key));
	nl_attr(TCA_U32_SEL, match, sizeof(match));
	nl_nest_end(options);
	return nl_send();
}

/* ---- nftables, IPsec ---- */

static int nft_setup(long count, long size)
{
	(void)count, (void)size;
	return private_net() ?: nl_open(NETLINK_NETFILTER);
}

static void nft_message(int type, int flags, int family, int resource)
{
	const struct nfgenmsg m = {.nfgen_family = (unsigned char)family,
				   .res_id = htons((unsigned short)resource)};

	nl_message(type, flags, &m, sizeof(m));
}

/* A table with a chain. */
static int nft_step(long i, long size)
{
	char name[16];

	(void)size;
	snprintf(name, sizeof(name), "plant%ld", i);
	nft_message(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	nft_message(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE, NLM_F_CREATE, AF_INET, 0);
	nl_text(NFTA_TABLE_NAME, name);
	nft_message(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_ACK, AF_INET,
		    0);
	nl_text(NFTA_CHAIN_TABLE, name);
	nl_text(NFTA_CHAIN_NAME, name);
	nft_message(NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	return nl_send();
}

static int policy_setup(long count, long size)
{
	(void)count, (void)size;
	return private_net() ?: nl_open(NETLINK_XFRM);
}

static int policy_step(long i, long size)
{
	struct xfrm_userpolicy_info p = {.sel = {.family = AF_INET, .prefixlen_d = 32},
					 .lft = {.soft_byte_limit = XFRM_INF,
						 .hard_byte_limit = XFRM_INF,
						 .soft_packet_limit = XFRM_INF,
						 .hard_packet_limit = XFRM_INF},
					 .dir = XFRM_POLICY_OUT,
					 .action = XFRM_POLICY_BLOCK};

	(void)size;
	p.sel.daddr.a4 = address4(i).s_addr;
	nl_message(XFRM_MSG_NEWPOLICY, NL_NEW, &p, sizeof(p));
	return nl_send();
}

const struct kind netlink_kinds[] = {
	{"routes", "IPv4 routes", "kmalloc*", "fib_info", "sendto", 0, link_setup, route4_step,
	 NULL},
	{"routes6", "IPv6 routes", "kmalloc*", "fib6_info", "sendto", 0, link_setup, route6_step,
	 NULL},
	{"addrs", "IPv4 addresses", "kmalloc*", "in_ifaddr", "sendto", 0, link_setup, addr4_step,
	 NULL},
	{"addrs6", "IPv6 addresses", "kmalloc*", "inet6_ifaddr", "sendto", 0, link_setup,
	 addr6_step, NULL},
	{"neighs", "permanent neighbours", "kmalloc*", "neighbour", "sendto", 0, link_setup,
	 neigh_step, NULL},
	{"rules", "routing rules", "kmalloc*", "fib4_rule", "sendto", 0, link_setup, rule_step,
	 NULL},
	{"nexthops", "next hops", "kmalloc*", "nexthop,nh_info", "sendto", 0, link_setup,
	 nexthop_step, NULL},
	{"classes", "traffic classes (HTB)", "kmalloc*", "htb_class,Qdisc", "sendto", 0,
	 class_setup, class_step, NULL},
	{"filters", "filters of traffic control (u32)", "kmalloc*",
	 "tcf_proto,tc_u_hnode,tc_u_knode", "sendto", 0, filter_setup, filter_step, NULL},
	{"nftables", "tables of nftables, with a chain", "kmalloc*", "nft_table,nft_chain",
	 "sendto", 0, nft_setup, nft_step, NULL},
	{"policies", "IPsec policies", "kmalloc*", "xfrm_policy", "sendto", 0, policy_setup,
	 policy_step, NULL},
	{0},
};
