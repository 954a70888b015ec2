// SPDX-License-Identifier: GPL-2.0-only
/* A kernel module that leaks, for a guest: its thread allocates 512 bytes every 100 µs and forgets
 * them. tests/vm/module/incident.sh builds and loads it. */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>

static struct task_struct *thread;

static noinline void *order_cache_refill(void)
{
	return kzalloc(512, GFP_KERNEL);
}

static int order_cache_run(void *unused)
{
	while (!kthread_should_stop()) {
		if (!order_cache_refill())
			break;
		usleep_range(100, 120);
	}
	return 0;
}

static int __init order_cache_init(void)
{
	thread = kthread_run(order_cache_run, NULL, "order_cache");
	return PTR_ERR_OR_ZERO(thread);
}

module_init(order_cache_init);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("leaks 512 bytes every 100 microseconds");
