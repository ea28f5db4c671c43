// SPDX-License-Identifier: GPL-2.0
/* Init and exit as a list; module parameters; threads. */
#include <linux/module.h>
#include <linux/sched/mm.h>

#include "glue.h"

char drbd_usermode_helper[80] = "/sbin/drbdadm";
module_param_string(usermode_helper, drbd_usermode_helper, sizeof(drbd_usermode_helper), 0644);
MODULE_PARM_DESC(usermode_helper, "program that is called for handlers");

unsigned int drbd_minor_count = 32;
module_param_named(minor_count, drbd_minor_count, uint, 0444);
MODULE_PARM_DESC(minor_count, "dimension of memory pools (1-255)");

/* For comparison, and for who trusts a peer's cache less than its acknowledgements. */
bool drbd_lazy_epochs = true;
module_param_named(lazy_epochs, drbd_lazy_epochs, bool, 0644);
MODULE_PARM_DESC(lazy_epochs, "with protocol C a barrier follows a flush, not each completion; for resources made from now on");

struct workqueue_struct *drbd_md_wq;
struct workqueue_struct *drbd_helper_wq;

/* Threads finish writes: they must not wait for the write-out of dirty pages. */
struct thread_start {
	int (*fn)(void *);
	void *data;
};

static int thread_main(void *arg)
{
	struct thread_start s = *(struct thread_start *)arg;
	unsigned int noio = memalloc_noio_save();
	int r;

	kfree(arg);
	r = s.fn(s.data);
	memalloc_noio_restore(noio);
	return r;
}

int drbd_thread_start(struct task_struct **task, int (*fn)(void *), void *data,
		      char letter, const char *resource)
{
	struct thread_start *s = kmalloc(sizeof(*s), GFP_NOIO);
	struct task_struct *t;

	if (!s)
		return -ENOMEM;
	s->fn = fn;
	s->data = data;
	t = kthread_create(thread_main, s, "drbd_%c_%s", letter, resource);
	if (IS_ERR(t)) {
		kfree(s);
		return PTR_ERR(t);
	}
	get_task_struct(t);
	*task = t;
	wake_up_process(t);
	return 0;
}

static int workqueues_init(void)
{
	drbd_md_wq = alloc_workqueue("drbd_md", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	drbd_helper_wq = alloc_workqueue("drbd_async_h", WQ_UNBOUND, 0);
	if (drbd_md_wq && drbd_helper_wq)
		return 0;
	if (drbd_md_wq)
		destroy_workqueue(drbd_md_wq);
	if (drbd_helper_wq)
		destroy_workqueue(drbd_helper_wq);
	return -ENOMEM;
}

static void workqueues_exit(void)
{
	destroy_workqueue(drbd_helper_wq);
	destroy_workqueue(drbd_md_wq);
}

static int major_init(void)
{
	return register_blkdev(DRBD_MAJOR, "drbd");
}

static void major_exit(void)
{
	unregister_blkdev(DRBD_MAJOR, "drbd");
}

static const struct {
	const char *what;
	int (*init)(void);
	void (*exit)(void);
} parts[] = {
	{ "work queues", workqueues_init, workqueues_exit },
	{ "request pools", drbd_submit_init, drbd_submit_exit },
	{ "reads", drbd_pass_read_init, drbd_pass_read_exit },
	{ "peer request pools", drbd_syncio_init, drbd_syncio_exit },
	{ "registry", drbd_registry_init, drbd_registry_exit },
	{ "block major 147", major_init, major_exit },
	{ "netlink family", drbd_nl_init, drbd_nl_exit },
	/* tools take it as the sign that the module is ready: last in, first out */
	{ "/proc/drbd", drbd_proc_init, drbd_proc_exit },
};

static void undo(int n)
{
	while (n--)
		parts[n].exit();
}

static int __init drbd_init(void)
{
	int i, err;

	if (drbd_minor_count < 1 || drbd_minor_count > 255) {
		pr_err("drbd: minor_count=%u is out of range: give 1 to 255\n", drbd_minor_count);
		return -EINVAL;
	}
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		err = parts[i].init();
		if (err) {
			pr_err("drbd: cannot set up %s (%d): is another drbd module loaded?\n",
			       parts[i].what, err);
			undo(i);
			return err;
		}
	}
	pr_info("drbd: initialized. Version: %s (api:%d/proto:%u-%u)\n", DRBD_RELEASE,
		DRBD_GENL_VERSION, DRBD_PROTO_MIN, DRBD_PROTO_MAX);
	return 0;
}

static void __exit drbd_exit(void)
{
	undo(ARRAY_SIZE(parts));
	rcu_barrier();
	pr_info("drbd: module cleanup done.\n");
}

module_init(drbd_init);
module_exit(drbd_exit);
MODULE_DESCRIPTION("drbd - replicated block devices over a network, version " DRBD_RELEASE);
MODULE_AUTHOR("the project's maintainers");
MODULE_VERSION(DRBD_RELEASE);
MODULE_LICENSE("GPL");
MODULE_ALIAS_BLOCKDEV_MAJOR(DRBD_MAJOR);
