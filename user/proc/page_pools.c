// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks netlink for page pools: see page_pools.h. Formats: include/uapi/linux/netlink.h,
 * genetlink.h, netdev.h (its numbers are repeated here, because older headers lack them).
 */
#include "proc/page_pools.h"

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/cleanup.h"

#define PAGE_POOL_GET          5 /* enum netdev_cmd */
#define PAGE_POOL_INFLIGHT_MEM 5 /* enum netdev_attr of a page pool */
#define ANSWER_MAX             32768
#define ANSWERS_MAX            1000
#define BYTES_MAX              (INT64_C(1) << 50)

struct page_pool_request {
	struct nlmsghdr header;
	struct genlmsghdr command;
	struct nlattr attr;
	char name[8];
};

/*
 * The attribute of this type behind a generic header; NULL for none. The sender set the sizes:
 * check each one.
 */
static const void *attr_find(const struct nlmsghdr *m, size_t len, int type, size_t *size)
{
	size_t at = NLMSG_HDRLEN + GENL_HDRLEN;

	while (at + NLA_HDRLEN <= len) {
		struct nlattr a;

		memcpy(&a, (const char *)m + at, sizeof(a));
		if (a.nla_len < NLA_HDRLEN || at + a.nla_len > len)
			return NULL;
		if ((a.nla_type & NLA_TYPE_MASK) == type) {
			*size = a.nla_len - NLA_HDRLEN;
			return (const char *)m + at + NLA_HDRLEN;
		}
		at += NLA_ALIGN(a.nla_len);
	}
	return NULL;
}

/* An unsigned attribute of 4 or 8 bytes ("uint"); −1 for none. */
static int64_t attr_number(const struct nlmsghdr *m, size_t len, int type)
{
	size_t size = 0;
	const void *p = attr_find(m, len, type, &size);
	uint64_t large;
	uint32_t small;

	if (p && size == sizeof(small)) {
		memcpy(&small, p, sizeof(small));
		return small;
	}
	if (!p || size != sizeof(large))
		return -1;
	memcpy(&large, p, sizeof(large));
	return large > (uint64_t)BYTES_MAX ? -1 : (int64_t)large;
}

bool page_pools_parse(const void *buf, size_t len, int64_t *bytes)
{
	const char *p = buf;

	while (len >= NLMSG_HDRLEN) {
		struct nlmsghdr m;
		int64_t n;

		memcpy(&m, p, sizeof(m));
		if (m.nlmsg_len < NLMSG_HDRLEN || m.nlmsg_len > len)
			return true;
		if (m.nlmsg_type == NLMSG_ERROR)
			*bytes = -1;
		if (m.nlmsg_type == NLMSG_ERROR || m.nlmsg_type == NLMSG_DONE)
			return true;
		n = attr_number((const void *)p, m.nlmsg_len, PAGE_POOL_INFLIGHT_MEM);
		if (n > 0 && *bytes < BYTES_MAX)
			*bytes += n;
		if (NLMSG_ALIGN(m.nlmsg_len) >= len)
			break;
		len -= NLMSG_ALIGN(m.nlmsg_len);
		p += NLMSG_ALIGN(m.nlmsg_len);
	}
	return false;
}

static bool request_send(int fd, const struct page_pool_request *r)
{
	return send(fd, r, r->header.nlmsg_len, 0) == (ssize_t)r->header.nlmsg_len;
}

/* The number of the family "netdev"; −1 for none. */
static int family_find(int fd, char *answer)
{
	struct page_pool_request r = {
		.header = {.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN + NLA_HDRLEN + 8,
			   .nlmsg_type = GENL_ID_CTRL,
			   .nlmsg_flags = NLM_F_REQUEST},
		.command = {.cmd = CTRL_CMD_GETFAMILY, .version = 1},
		.attr = {.nla_len = NLA_HDRLEN + sizeof("netdev"),
			 .nla_type = CTRL_ATTR_FAMILY_NAME},
		.name = "netdev"};
	const struct nlmsghdr *m = (const void *)answer;
	size_t size = 0;
	const void *id;
	uint16_t number;
	ssize_t n;

	if (!request_send(fd, &r))
		return -1;
	n = recv(fd, answer, ANSWER_MAX, 0);
	if (n < (ssize_t)NLMSG_HDRLEN || m->nlmsg_type != GENL_ID_CTRL || m->nlmsg_len > (size_t)n)
		return -1;
	id = attr_find(m, m->nlmsg_len, CTRL_ATTR_FAMILY_ID, &size);
	if (!id || size != sizeof(number))
		return -1;
	memcpy(&number, id, sizeof(number));
	return number;
}

int64_t page_pools_read(void)
{
	struct page_pool_request r = {.header = {.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN,
						 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
				      .command = {.cmd = PAGE_POOL_GET, .version = 1}};
	const struct timeval limit = {.tv_usec = 500000};
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	_Alignas(struct nlmsghdr) char answer[ANSWER_MAX];
	int64_t bytes = 0;
	int family;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
		return -1;
	family = family_find(fd, answer);
	if (family < 0)
		return -1;
	r.header.nlmsg_type = (uint16_t)family;
	if (!request_send(fd, &r))
		return -1;
	for (int i = 0; i < ANSWERS_MAX; i++) {
		ssize_t n = recv(fd, answer, sizeof(answer), 0);

		if (n <= 0)
			return -1;
		if (page_pools_parse(answer, (size_t)n, &bytes))
			return bytes;
	}
	return -1;
}
