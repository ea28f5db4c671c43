// SPDX-License-Identifier: GPL-2.0-only
/*
 * data/actlog.c - the slots of the activity log: hot extents, references,
 * second-chance eviction, the transaction being collected.
 *
 * A slot that is part of the pending transaction is hashed under the extent it
 * will hold: whoever looks for the evicted one must not find it any more.
 */
#include "extent.h"

static u16 *hash_head(const struct act_log *al, u32 extent)
{
	return &al->hash[(extent * 2654435761u >> 7) & (al->hash_size - 1)];
}

static u32 key(const struct act_log *al, u32 i)
{
	return al->slot[i].pending ? al->slot[i].new_extent : al->extent[i];
}

static void hash_add(struct act_log *al, u32 i)
{
	u16 *head = hash_head(al, key(al, i));

	al->slot[i].hash_next = *head;
	*head = (u16)i;
}

static void hash_del(struct act_log *al, u32 i)
{
	u16 *at = hash_head(al, key(al, i));

	while (*at != i && core_check(*at != AL_HASH_END))
		at = &al->slot[*at].hash_next;
	if (*at == i)
		*at = al->slot[i].hash_next;
}

static struct al_slot *lookup(const struct act_log *al, u32 extent, u32 *index)
{
	u16 i = *hash_head(al, extent);

	while (i != AL_HASH_END && key(al, i) != extent)
		i = al->slot[i].hash_next;
	if (i == AL_HASH_END)
		return NULL;
	if (index)
		*index = i;
	return &al->slot[i];
}

void drbd_al_init(struct act_log *al, struct al_slot *slot, u32 *extent, u32 nr_slots,
		  u16 *hash, u32 hash_size)
{
	u32 i;

	memset(al, 0, sizeof(*al));
	core_assert(core_is_pow2(hash_size) && nr_slots && nr_slots <= 65534);
	al->slot = slot;
	al->extent = extent;
	al->nr_slots = nr_slots;
	al->hash = hash;
	al->hash_size = hash_size;
	memset(slot, 0, (size_t)nr_slots * sizeof(*slot));
	for (i = 0; i < nr_slots; i++)
		extent[i] = AL_FREE;
	for (i = 0; i < hash_size; i++)
		hash[i] = AL_HASH_END;
}

static void take(struct act_log *al, struct al_slot *s)
{
	if (!s->refs++)
		al->used++;
	al->total_refs++;
	s->referenced = 1;
}

static bool drop(struct act_log *al, struct al_slot *s)
{
	if (!core_check(s->refs))
		return false;
	al->total_refs--;
	if (--s->refs)
		return false;
	al->used--;
	return true;
}

bool drbd_al_get(struct act_log *al, u32 first, u32 last)
{
	u32 e;

	/* Those that wait come first, or a hot load would starve the cold. */
	if (al->starving || al->failed)
		return false;
	for (e = first; e <= last; e++) {
		struct al_slot *s = lookup(al, e, NULL);

		if (!s || s->pending)
			return false;
	}
	for (e = first; e <= last; e++)
		take(al, lookup(al, e, NULL));
	return true;
}

void drbd_al_get_more(struct act_log *al, u32 first, u32 last)
{
	u32 e;

	for (e = first; e <= last; e++) {
		struct al_slot *s = lookup(al, e, NULL);

		if (core_check(s && s->refs))
			take(al, s);
	}
}

/* A slot without references that was not used lately; nr_slots if none. */
static u32 find_victim(struct act_log *al)
{
	u32 n;

	for (n = 0; n < 2 * al->nr_slots; n++) {
		u32 i = al->hand;
		struct al_slot *s = &al->slot[i];

		al->hand = i + 1 < al->nr_slots ? i + 1 : 0;
		if (s->refs || s->pending)
			continue;
		if (s->referenced && al->extent[i] != AL_FREE) {
			s->referenced = 0;
			continue;
		}
		return i;
	}
	return al->nr_slots;
}

static bool assign(struct act_log *al, u32 extent)
{
	u32 i = find_victim(al);
	struct al_slot *s;

	if (i == al->nr_slots)
		return false;
	s = &al->slot[i];
	if (al->extent[i] != AL_FREE)
		hash_del(al, i);
	al->evicted[al->n_updates] = al->extent[i];
	al->update[al->n_updates].slot = (u16)i;
	al->update[al->n_updates].extent = extent;
	al->n_updates++;
	s->new_extent = extent;
	s->pending = 1;
	hash_add(al, i);
	take(al, s);
	return true;
}

/* Takes back the newest update. */
static void unassign(struct act_log *al)
{
	u32 i = al->update[--al->n_updates].slot;
	struct al_slot *s = &al->slot[i];

	drop(al, s);
	hash_del(al, i);
	s->pending = 0;
	s->referenced = 0;
	if (al->extent[i] != AL_FREE)
		hash_add(al, i);
}

enum al_prepare drbd_al_prepare(struct act_log *al, u32 first, u32 last)
{
	u32 cold = 0, before = al->n_updates, e;
	bool pending = false, ok = true;

	core_assert(!al->committing && last - first < AL_UPDATES);
	if (al->failed)
		return AL_LOST;
	for (e = first; e <= last; e++)
		cold += !lookup(al, e, NULL);
	if (al->n_updates + cold > AL_UPDATES)
		return AL_BATCH_FULL;

	/* The hot ones first, so that they are no victims for the others. */
	for (e = first; e <= last; e++) {
		struct al_slot *s = lookup(al, e, NULL);

		if (!s)
			continue;
		pending |= s->pending;
		take(al, s);
	}
	for (e = first; e <= last && ok; e++)
		if (!lookup(al, e, NULL))
			ok = assign(al, e);
	if (ok) {
		al->starving = false;
		return pending || cold ? AL_PENDING : AL_READY;
	}

	while (al->n_updates > before)
		unassign(al);
	for (e = first; e <= last; e++) {
		struct al_slot *s = lookup(al, e, NULL);

		/* Found means it was hot, and taken above. */
		if (s)
			drop(al, s);
	}
	al->starving = true;
	return AL_STARVING;
}

bool drbd_al_commit_begin(struct act_log *al)
{
	if (!al->n_updates || !core_check(!al->committing))
		return false;
	al->committing = true;
	return true;
}

void drbd_al_encode(const struct act_log *al, void *block)
{
	drbd_al_block_encode(block, al->tr_number, al->update, al->n_updates,
			     al->extent, al->nr_slots, al->context_start);
}

static void next_transaction(struct act_log *al)
{
	al->tr_number++;
	al->transactions++;
	al->context_start += AL_CONTEXT;
	if (al->context_start >= al->nr_slots)
		al->context_start = 0;
}

u32 drbd_al_repeat(struct act_log *al, void *block)
{
	u32 tr = al->tr_number;

	core_assert(!al->committing);
	drbd_al_block_encode(block, tr, NULL, 0, al->extent, al->nr_slots, al->context_start);
	next_transaction(al);
	return tr;
}

void drbd_al_committed(struct act_log *al, enum al_commit how)
{
	u32 n;

	if (!core_check(al->committing))
		return;
	/* In memory also after a failure: the waiting writes put what they took,
	 * and the device is on its way out. Until it is gone no other write may take them
	 * for hot: a crash would not find them. */
	for (n = 0; n < al->n_updates; n++) {
		u32 i = al->update[n].slot;

		al->extent[i] = al->slot[i].new_extent;
		al->slot[i].pending = 0;
	}
	al->n_updates = 0;
	al->committing = false;
	al->failed |= how == AL_FAILED;
	if (how == AL_WRITTEN)
		next_transaction(al);
}

bool drbd_al_put(struct act_log *al, u32 first, u32 last)
{
	bool freed = false;
	u32 e;

	for (e = first; e <= last; e++) {
		struct al_slot *s = lookup(al, e, NULL);

		if (core_check(s))
			freed |= drop(al, s);
	}
	return freed && al->starving;
}

bool drbd_al_is_hot(const struct act_log *al, u32 extent)
{
	const struct al_slot *s = lookup(al, extent, NULL);

	return s && !s->pending;
}

bool drbd_al_has_refs(const struct act_log *al, u32 first, u32 last)
{
	u32 e;

	for (e = first; e <= last; e++) {
		const struct al_slot *s = lookup(al, e, NULL);

		if (s && s->refs)
			return true;
	}
	return false;
}

bool drbd_al_clear(struct act_log *al)
{
	u32 i;

	if (al->total_refs || al->n_updates || al->committing)
		return false;
	for (i = 0; i < al->nr_slots; i++) {
		al->extent[i] = AL_FREE;
		al->slot[i].referenced = 0;
	}
	for (i = 0; i < al->hash_size; i++)
		al->hash[i] = AL_HASH_END;
	al->hand = 0;
	return true;
}
