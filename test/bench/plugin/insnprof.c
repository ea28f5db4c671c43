// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of QEMU that counts the instructions of the guest by address. On "snap
 * FILE" at its socket it writes "address instructions count" of each block of code
 * that has run; the bench takes one before a job and one behind it.
 *
 * It needs no headers of QEMU: what it uses of the interface (version 1, QEMU 4.2 to
 * 9) is declared here.
 */
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define BUCKETS 65536u
#define INLINE_ADD_U64 0

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct plugin_info;

extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
						  void (*fn)(plugin_id, struct qemu_plugin_tb *));
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
extern uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *ptr,
						     uint64_t imm);

EXPORT int qemu_plugin_version = 1;

/* A block of code; translated again, it is found again. */
struct block {
	struct block *next;
	uint64_t address, instructions, count;
};

static struct block *table[BUCKETS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sockaddr_un address = { .sun_family = AF_UNIX };

static struct block *block_of(uint64_t at, uint64_t instructions)
{
	struct block **bucket = &table[(at ^ at >> 16) % BUCKETS], *b;

	for (b = *bucket; b; b = b->next)
		if (b->address == at && b->instructions == instructions)
			return b;
	b = calloc(1, sizeof(*b));
	if (!b)
		abort();
	b->address = at;
	b->instructions = instructions;
	b->next = *bucket;
	*bucket = b;
	return b;
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
	struct block *b;

	(void)id;
	pthread_mutex_lock(&lock);
	b = block_of(qemu_plugin_tb_vaddr(tb), qemu_plugin_tb_n_insns(tb));
	pthread_mutex_unlock(&lock);
	qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, &b->count, 1);
}

static int snapshot(const char *path)
{
	FILE *f = fopen(path, "w");
	struct block *b;
	uint32_t i;

	if (!f)
		return -1;
	pthread_mutex_lock(&lock);
	for (i = 0; i < BUCKETS; i++)
		for (b = table[i]; b; b = b->next)
			if (b->count)
				fprintf(f, "%lx %lu %lu\n", b->address, b->instructions, b->count);
	pthread_mutex_unlock(&lock);
	return fclose(f);
}

static void *serve(void *unused)
{
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), c;
	char order[300];
	ssize_t n;

	(void)unused;
	unlink(address.sun_path);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 4)) {
		perror(address.sun_path);
		return NULL;
	}
	while ((c = accept(listener, NULL, NULL)) >= 0) {
		n = read(c, order, sizeof(order) - 1);
		order[n > 0 ? n : 0] = 0;
		order[strcspn(order, "\n")] = 0;
		if (!strncmp(order, "snap ", 5))
			dprintf(c, "%s\n", snapshot(order + 5) ? "failed" : "ok");
		close(c);
	}
	return NULL;
}

EXPORT int qemu_plugin_install(plugin_id id, const struct plugin_info *info, int argc, char **argv)
{
	pthread_t thread;
	int i;

	(void)info;
	for (i = 0; i < argc; i++)
		if (!strncmp(argv[i], "sock=", 5))
			snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[i] + 5);
	if (!address.sun_path[0]) {
		fprintf(stderr, "insnprof: say where to listen: sock=PATH\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return pthread_create(&thread, NULL, serve, NULL);
}
