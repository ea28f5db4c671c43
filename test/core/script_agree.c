// SPDX-License-Identifier: GPL-2.0-only
/* Scripts of the two-phase commit: testdata/agree/README says what can be typed. */
#include "harness.h"
#include "../../kernel/core/state/internal.h"
#include "../../kernel/core/state/agree.h"

#define MOST 5
#define QUEUE 64

struct packet {
	u16 cmd, vnr;
	struct wire_twopc t;
	struct wire_twopc_reply r;
};

static struct {
	u32 size;
	u32 tids;
	bool agrees[MOST];	/* checks are answered with yes at once */
	struct core_agree n[MOST];
	struct packet queue[MOST][MOST][2][QUEUE];	/* from, to, stream */
	u32 head[MOST][MOST][2], tail[MOST][MOST][2];
	char *out;
	u32 room;
} S;

static void say(const char *fmt, ...) core_printf(1, 2);
static void say(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(S.out, S.room, fmt, ap);
	va_end(ap);
	if (n < 0 || (u32)n >= S.room)
		return;
	S.out += n;
	S.room -= (u32)n;
}

/* Only nodes of this cluster; all others are in many masks, too. */
static const char *nodes(u64 mask)
{
	static char text[4][32];
	static u32 turn;
	char *p = text[turn++ % 4], *begin = p;
	u32 i;

	*p++ = '{';
	for (i = 0; i < S.size; i++)
		if (mask >> i & 1)
			p += sprintf(p, "%s%u", p > begin + 1 ? " " : "", i);
	strcpy(p, "}");
	return begin;
}

static const char *change(const struct wire_twopc *t)
{
	static char text[128];
	char *p = text;

	*p = 0;
	if (t->mask.role)
		p += sprintf(p, " role %s", core_role_name(t->val.role));
	if (t->mask.conn)
		p += sprintf(p, " conn %s", core_conn_name(t->val.conn));
	if (t->mask.disk)
		p += sprintf(p, " disk %s", core_disk_name(t->val.disk));
	if (t->target != WIRE_NO_NODE)
		sprintf(p, " target %d", t->target);
	return text;
}

static void put(u32 from, const struct core_agree_action *act, bool meta)
{
	u32 *tail = &S.tail[from][act->node][meta];

	if (*tail - S.head[from][act->node][meta] < QUEUE)
		S.queue[from][act->node][meta][(*tail)++ % QUEUE] = (struct packet){
			.cmd = act->cmd, .vnr = act->vnr, .t = act->twopc, .r = act->reply,
		};
}

static void show_send(u32 i, const struct core_agree_action *act, bool ping)
{
	const struct wire_twopc *t = &act->twopc;

	say("    %u > %u %s %u of %d", i, act->node, drbd_packet_name(act->cmd) + 8, t->tid, t->initiator);
	if (act->cmd == P_TWOPC_PREPARE)
		say("%s", change(t));
	if (act->cmd == P_TWOPC_PREP_RSZ)
		say(" size %llu", (unsigned long long)t->user_size);
	if (act->cmd == P_TWOPC_COMMIT && S.n[i].resize)
		say(" primary %s size %llu", nodes(t->primary_nodes), (unsigned long long)t->last);
	else if (act->cmd == P_TWOPC_COMMIT)
		say(" primary %s reachable %s%s", nodes(t->primary_nodes), nodes(t->last),
		    t->flags & TWOPC_PRI_INCAPABLE ? " incapable" : "");
	say(", to reach %s%s\n", nodes(t->nodes_to_reach), ping ? ", ping" : "");
}

static void apply(u32 i, const struct core_agree_action *act)
{
	const struct wire_twopc *t = &act->twopc;
	bool mine = t->initiator == (s8)i;
	s8 end = mine ? t->target : t->initiator;
	u64 other = end < 0 ? 0 : 1ull << end;

	say("    %u does %u of %d\n", i, t->tid, t->initiator);
	if (S.n[i].resize)
		return;
	if (t->mask.conn && (mine || t->target == (s8)i)) {
		if (t->val.conn == CONN_CONNECTED)
			S.n[i].linked |= other;
		else if (t->val.conn == CONN_DISCONNECTING)
			S.n[i].linked &= ~other;
	}
	if (t->mask.role && !t->mask.conn && mine)
		S.n[i].primary = t->val.role == ROLE_PRIMARY;
}

static void act_all(u32 i)
{
	static struct core_agree_action acts[AGREE_MAX_ACTIONS];
	u32 k, nr = S.n[i].nr_actions;
	bool check = false;

	memcpy(acts, S.n[i].action, nr * sizeof(acts[0]));
	S.n[i].nr_actions = 0;
	for (k = 0; k < nr; k++) {
		const struct core_agree_action *act = &acts[k];

		switch (act->type) {
		case AGREE_SEND:
			show_send(i, act, k + 1 < nr && act[1].type == AGREE_PING && act[1].node == act->node);
			put(i, act, false);
			break;
		case AGREE_REPLY:
			say("    %u > %u %s %u of %d, reachable %s primary %s", i, act->node,
			    drbd_packet_name(act->cmd) + 8, act->reply.tid, act->reply.initiator,
			    nodes(act->reply.reachable_nodes), nodes(act->reply.primary_nodes));
			if (S.n[i].resize)
				say(" size %llu\n", (unsigned long long)act->reply.last);
			else
				say(" weak %s\n", nodes(act->reply.last));
			put(i, act, true);
			break;
		case AGREE_CHECK:
			say("    %u checks\n", i);
			check = true;
			break;
		case AGREE_APPLY:
			apply(i, act);
			break;
		case AGREE_DROP:
			say("    %u forgets %u of %d\n", i, act->twopc.tid, act->twopc.initiator);
			break;
		case AGREE_DONE:
			say("    %u done: %s\n", i, core_result_text(act->result));
			break;
		case AGREE_TIMER:
			if (act->ms && act->ms != S.n[i].timeout_ms)
				say("    %u waits %u ms\n", i, act->ms);
			break;
		default:
			break;
		}
	}
	if (check && S.agrees[i] && S.n[i].phase != AGREE_PHASE_IDLE) {
		core_agree_checked(&S.n[i], AGREE_YES, 0);
		act_all(i);
	}
}

static bool deliver(u32 from, u32 to, bool meta)
{
	u32 *head = &S.head[from][to][meta];
	struct packet p;

	if (*head == S.tail[from][to][meta])
		return false;
	p = S.queue[from][to][meta][(*head)++ % QUEUE];
	if (meta)
		core_agree_reply(&S.n[to], (u8)from, p.cmd, &p.r);
	else
		core_agree_packet(&S.n[to], (u8)from, p.cmd, p.vnr, &p.t);
	act_all(to);
	return true;
}

static void deliver_all(void)
{
	bool more;
	u32 a, b;

	do {
		more = false;
		for (a = 0; a < S.size; a++)
			for (b = 0; b < S.size; b++)
				while (deliver(a, b, false) || deliver(a, b, true))
					more = true;
	} while (more);
}

static void lose(u32 at, u32 node)
{
	S.n[at].linked &= ~(1ull << node);
	memset(S.head[node][at], 0, sizeof(S.head[node][at]));
	memset(S.tail[node][at], 0, sizeof(S.tail[node][at]));
	core_agree_lost(&S.n[at], (u8)node);
	act_all(at);
}

static void begin(u32 i, const char *what, u32 arg, u32 arg2)
{
	struct wire_twopc t = { .tid = ++S.tids, .target = WIRE_NO_NODE };
	bool resize = !strcmp(what, "resize"), ready = true;
	static const struct {
		const char *word;
		u8 role, conn, disk;
	} words[] = {
		{ "promote", ROLE_PRIMARY, 0, 0 }, { "force", ROLE_PRIMARY, 0, DISK_UP_TO_DATE },
		{ "demote", ROLE_SECONDARY, 0, 0 }, { "connect", 0, CONN_CONNECTED, 0 },
		{ "disconnect", 0, CONN_DISCONNECTING, 0 }, { "attach", 0, 0, DISK_NEGOTIATING },
		{ "verify", 0, REPL_VERIFY_S, 0 }, { "invalidate", 0, REPL_STARTING_SYNC_T, 0 },
		{ "empty", 0, 0, 0 }, { "resize", 0, 0, 0 },
	};
	u32 k;

	for (k = 0; k < ARRAY_SIZE(words); k++) {
		if (strcmp(words[k].word, what))
			continue;
		t.mask.role = words[k].role ? ROLE_MASK : 0;
		t.val.role = words[k].role;
		t.mask.conn = words[k].conn ? CONN_MASK : 0;
		t.val.conn = words[k].conn;
		t.mask.disk = words[k].disk ? DISK_MASK : 0;
		t.val.disk = words[k].disk;
	}
	if (t.mask.conn)
		t.target = (s8)arg;
	if (t.val.conn == CONN_CONNECTED) {
		t.mask.role = ROLE_MASK;
		t.val.role = S.n[i].primary ? ROLE_PRIMARY : ROLE_SECONDARY;
		ready = false;
	}
	t.user_size = resize ? arg : 0;
	if (!core_agree_begin(&S.n[i], &t, VOLUME_NONE, resize, arg2, ready))
		say("    %u is busy\n", i);
	act_all(i);
}

static void set_up(u32 size)
{
	char *out = S.out;
	u32 room = S.room, i;

	memset(&S, 0, sizeof(S));
	S.out = out;
	S.room = room;
	S.size = min(size, (u32)MOST);
	for (i = 0; i < S.size; i++) {
		core_agree_init(&S.n[i], (u8)i, 30000);
		S.n[i].linked = ((1u << S.size) - 1) & ~(1u << i);
		S.n[i].has_disk = S.n[i].has_data = S.agrees[i] = true;
		S.n[i].max_size = 1000;
	}
}

static void set(u32 i, const char *what, u32 value)
{
	struct core_agree *a = &S.n[i];

	if (!strcmp(what, "agrees"))
		S.agrees[i] = value;
	else if (!strcmp(what, "primary"))
		a->primary = value;
	else if (!strcmp(what, "data"))
		a->has_data = value;
	else if (!strcmp(what, "disk"))
		a->has_disk = value;
	else if (!strcmp(what, "max"))
		a->max_size = value;
	else if (!strcmp(what, "two"))
		a->allows_two = value ? a->linked : 0;
	else
		say("    what is \"%s\"?\n", what);
}

void t_agree_line(const char *line, char *out, u32 room)
{
	char word[32] = "", arg[32] = "";
	u32 a = 0, b = 0, c = 0;

	S.out = out;
	S.room = room;
	*out = 0;
	if (sscanf(line, "nodes %u", &a) == 1) {
		set_up(a);
		return;
	}
	if (sscanf(line, "%31s %u", word, &a) < 1 || a >= S.size) {
		if (strcmp(word, "run"))
			say("    no such node\n");
	}
	sscanf(line, "%*s %*u %u", &b);
	if (!strcmp(word, "run"))
		deliver_all();
	else if (a >= S.size || (b >= S.size && strcmp(word, "begin") && strcmp(word, "set")))
		say("    no such node\n");
	else if (sscanf(line, "set %u %31s %u", &a, arg, &b) == 3)
		set(a, arg, b);
	else if (sscanf(line, "begin %u %31s %u %u", &a, arg, &b, &c) >= 2)
		begin(a, arg, b, c);
	else if (!strcmp(word, "unlink")) {
		S.n[a].linked &= ~(1ull << b);
		S.n[b].linked &= ~(1ull << a);
	} else if (!strcmp(word, "pass")) {
		if (!deliver(a, b, false))
			say("    nothing\n");
	} else if (!strcmp(word, "reply")) {
		if (!deliver(a, b, true))
			say("    nothing\n");
	} else if (!strcmp(word, "yes") || !strcmp(word, "no") || !strcmp(word, "retry")) {
		core_agree_checked(&S.n[a], *word == 'y' ? AGREE_YES : *word == 'n' ? AGREE_NO : AGREE_RETRY,
				   *word == 'n' ? RES_TWO_PRIMARIES : RES_CONCURRENT_ST_CHG);
		act_all(a);
	} else if (!strcmp(word, "lose")) {
		lose(a, b);
	} else if (!strcmp(word, "timer")) {
		core_agree_timer(&S.n[a]);
		act_all(a);
	} else if (!strcmp(word, "cancel")) {
		core_agree_cancel(&S.n[a], RES_INTERRUPTED);
		act_all(a);
	} else {
		say("    what is \"%s\"?\n", word);
	}
}
