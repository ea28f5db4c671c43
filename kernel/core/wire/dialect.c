// SPDX-License-Identifier: GPL-2.0-only
/*
 * wire/dialect.c - state words and disk numbers of the two generations.
 */
#include "dialect.h"

#define VERSION_9 110

/* Where each field of the state word lies. wire.md 5.8 */
struct state_field {
	u8 offset;	/* in struct wire_state */
	u8 shift;
	u8 mask;
};

#define FIELD(name, shift, mask) { offsetof(struct wire_state, name), shift, mask }

static const struct state_field fields[] = {
	FIELD(role, 0, 3),	FIELD(peer, 2, 3),
	FIELD(conn, 4, 31),	FIELD(disk, 9, 15),
	FIELD(pdsk, 13, 15),	FIELD(susp, 17, 1),
	FIELD(aftr_isp, 18, 1),	FIELD(peer_isp, 19, 1),
	FIELD(user_isp, 20, 1),	FIELD(susp_nod, 21, 1),
	FIELD(susp_fen, 22, 1),	FIELD(quorum, 23, 1),
};

static u8 *field_of(struct wire_state *s, const struct state_field *f)
{
	return (u8 *)s + f->offset;
}

static u8 field_value(const struct wire_state *s, const struct state_field *f)
{
	return *((const u8 *)s + f->offset);
}

u8 drbd_wire_disk_out(u16 version, u8 disk)
{
	if (version >= VERSION_9 || disk == DISK_MASK || disk < DISK_DETACHING)
		return disk;
	/* Detaching has no number below 110; the next one, Failed, takes 2. */
	return disk == DISK_DETACHING ? 2 : disk - 1;
}

u8 drbd_wire_disk_in(u16 version, u8 disk)
{
	if (version >= VERSION_9 || disk == DISK_MASK || disk < 2)
		return disk;
	return disk + 1;
}

static u32 pack_raw(const struct wire_state *s)
{
	u32 word = 0, i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		word |= (u32)(field_value(s, &fields[i]) & fields[i].mask)
			<< fields[i].shift;
	return word;
}

static void unpack_raw(u32 word, struct wire_state *s)
{
	u32 i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < ARRAY_SIZE(fields); i++)
		*field_of(s, &fields[i]) = (word >> fields[i].shift) & fields[i].mask;
}

u32 drbd_wire_state_pack(u16 version, const struct wire_state *s)
{
	struct wire_state w = *s;

	w.disk = drbd_wire_disk_out(version, s->disk);
	w.pdsk = drbd_wire_disk_out(version, s->pdsk);
	if (version < VERSION_9)
		w.quorum = 0;
	return pack_raw(&w);
}

static bool role_exists(u8 role)
{
	return role <= ROLE_SECONDARY;
}

static bool conn_exists(u8 conn)
{
	return conn <= REPL_BEHIND;
}

static bool disk_exists(u8 disk)
{
	return disk <= DISK_UP_TO_DATE;
}

enum wire_error drbd_wire_state_unpack(u16 version, u32 word, struct wire_state *s)
{
	unpack_raw(word, s);
	s->disk = drbd_wire_disk_in(version, s->disk);
	s->pdsk = drbd_wire_disk_in(version, s->pdsk);
	if (!role_exists(s->role) || !role_exists(s->peer) || !conn_exists(s->conn) ||
	    !disk_exists(s->disk) || !disk_exists(s->pdsk))
		return WIRE_BAD_VALUE;
	return WIRE_OK;
}

enum wire_error drbd_wire_state_req_unpack(u16 version, u32 mask, u32 val,
					   struct wire_state *out_mask,
					   struct wire_state *out_val)
{
	u32 i;

	unpack_raw(mask, out_mask);
	unpack_raw(val & mask, out_val);
	/* A bit outside of all fields would be a request we cannot see. */
	if (mask >> 24)
		return WIRE_BAD_VALUE;
	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		u8 m = field_value(out_mask, &fields[i]);

		if (m && m != fields[i].mask)
			return WIRE_BAD_VALUE;
	}
	out_val->disk = drbd_wire_disk_in(version, out_val->disk);
	out_val->pdsk = drbd_wire_disk_in(version, out_val->pdsk);
	if (!role_exists(out_val->role) || !role_exists(out_val->peer) ||
	    !conn_exists(out_val->conn) || !disk_exists(out_val->disk) ||
	    !disk_exists(out_val->pdsk))
		return WIRE_BAD_VALUE;
	return WIRE_OK;
}

void drbd_wire_state_req_pack(u16 version, const struct wire_state *mask,
			      const struct wire_state *val, u32 *out_mask, u32 *out_val)
{
	*out_mask = pack_raw(mask);
	*out_val = drbd_wire_state_pack(version, val) & *out_mask;
}

/* A connection state as the other end calls it. All 32 values: a peer can send
 * any of them. Those without a counterpart become 0. wire.md 8.1 */
static const u8 conn_mirror[32] = {
	[CONN_DISCONNECTING] = CONN_TEAR_DOWN,
	[CONN_CONNECTING] = CONN_CONNECTING,
	[CONN_CONNECTED] = CONN_CONNECTED,
	[REPL_ESTABLISHED] = REPL_ESTABLISHED,
	[REPL_STARTING_SYNC_S] = REPL_STARTING_SYNC_T,
	[REPL_STARTING_SYNC_T] = REPL_STARTING_SYNC_S,
	[REPL_WF_BITMAP_S] = REPL_WF_BITMAP_T,
	[REPL_WF_BITMAP_T] = REPL_WF_BITMAP_S,
	[REPL_VERIFY_S] = REPL_VERIFY_T,
	[CONN_MASK] = CONN_MASK,
};

void drbd_wire_state_mirror(const struct wire_state *in, struct wire_state *out)
{
	struct wire_state m;

	memset(&m, 0, sizeof(m));
	m.role = in->peer;
	m.peer = in->role;
	m.disk = in->pdsk;
	m.pdsk = in->disk;
	m.conn = conn_mirror[in->conn & 31];
	m.peer_isp = in->aftr_isp | in->user_isp;
	*out = m;
}
