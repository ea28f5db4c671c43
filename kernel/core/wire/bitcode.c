// SPDX-License-Identifier: GPL-2.0-only
/*
 * wire/bitcode.c - bitmap packets, plain and run-length coded.
 */
#include "bitcode.h"

#define WIRE_SHIFT 12u		/* 4 KiB per bit on the wire, always */
#define CODING_VLI 2u

/* What one call looks at at most: the bitmap lock is held meanwhile. */
#define CALL_BITS ((u64)BITMAP_BULK_BITS * 2)

/* -- variable-length integers -- */

struct vli_level {
	u8 total, prefix_bits, prefix;
	u64 first;	/* smallest run of the level */
};

/* wire.md 7.3; the last row is the end of the last level. */
static const struct vli_level levels[] = {
	{ 2, 1, 0x00, 1 },
	{ 3, 2, 0x01, 3 },
	{ 5, 3, 0x03, 5 },
	{ 7, 4, 0x07, 9 },
	{ 10, 5, 0x0f, 17 },
	{ 14, 6, 0x1f, 49 },
	{ 21, 8, 0x3f, 305 },
	{ 29, 8, 0x7f, 8497 },
	{ 42, 8, 0xbf, 2105649 },
	{ 64, 8, 0xff, 17181974833ull },
	{ 0, 0, 0, 0x100000400202131ull },
};

#define NR_LEVELS (ARRAY_SIZE(levels) - 1)

u32 drbd_vli_encode(u64 run, u64 *word)
{
	u32 i;

	if (!run)
		return 0;
	for (i = 0; i < NR_LEVELS; i++) {
		const struct vli_level *l = &levels[i];

		if (run >= levels[i + 1].first)
			continue;
		*word = (run - l->first) << l->prefix_bits | l->prefix;
		return l->total;
	}
	return 0;
}

u32 drbd_vli_decode(u64 word, u32 have, u64 *run)
{
	u32 i;

	for (i = 0; i < NR_LEVELS; i++) {
		const struct vli_level *l = &levels[i];
		u64 data;

		if (have < l->prefix_bits)
			return 0;
		if ((word & ((1u << l->prefix_bits) - 1)) != l->prefix)
			continue;
		if (have < l->total)
			return 0;
		if (l->total < 64)
			word &= (1ull << l->total) - 1;
		data = word >> l->prefix_bits;
		*run = l->first + data;
		return *run < levels[i + 1].first ? l->total : 0;
	}
	return 0;
}

/* -- the slot in wire bits -- */

static u32 scale(const struct bitcode_cursor *c)
{
	return c->bm->shift - WIRE_SHIFT;
}

static bool wire_test(const struct bitcode_cursor *c, u64 bit)
{
	return drbd_bitmap_test(c->bm, c->slot, bit >> scale(c));
}

/* End of the run of @set bits that begins at @bit, not behind @limit. */
static u64 run_end(const struct bitcode_cursor *c, u64 bit, bool set, u64 limit)
{
	u32 s = scale(c);
	u64 last = (limit - 1) >> s;
	u64 end = set ? drbd_bitmap_next_clear(c->bm, c->slot, bit >> s, last) :
			drbd_bitmap_next_set(c->bm, c->slot, bit >> s, last);

	return end == BITMAP_NONE ? limit : min(end << s, limit);
}

static void wire_set(struct bitcode_cursor *c, u64 first, u64 last)
{
	u32 s = scale(c);

	drbd_bitmap_set(c->bm, c->slot, first >> s, last >> s);
}

/* Bytes of the plain stream from the word of @bit on. */
static u64 plain_rest(const struct bitcode_cursor *c, u64 bit)
{
	return (core_align_up(c->bits, 64) - core_align_down(bit, 64)) / 8;
}

void drbd_bitcode_start(struct bitcode_cursor *c, const struct wire_link *link,
			struct bitmap *bm, u32 slot, bool use_rle)
{
	memset(c, 0, sizeof(*c));
	c->bm = bm;
	c->slot = slot;
	c->chunk = core_align_down(PACKET_ORDINARY_MAX - drbd_packet_header_len(link, 0), 8u);
	c->bits = core_div_up(bm->capacity, 1u << (WIRE_SHIFT - SECTOR_BITS));
	c->use_rle = use_rle;
}

/* -- sender -- */

struct bit_writer {
	u8 *p;
	u32 max;	/* bits */
	u32 at;
};

static bool put_bits(struct bit_writer *w, u64 word, u32 n)
{
	u32 i;

	if (w->at + n > w->max)
		return false;
	for (i = 0; i < n; i++, w->at++) {
		if (!(w->at % 8))
			w->p[w->at / 8] = 0;
		w->p[w->at / 8] |= (u8)((word >> i & 1) << (w->at % 8));
	}
	return true;
}

/* A compressed body from c->bit on; 0 if it would be larger than plain bits. */
static u32 encode_rle(struct bitcode_cursor *c, u8 *body, u64 *end)
{
	struct bit_writer w = { body + 1, (c->chunk - 1) * 8, 0 };
	u64 limit = min(c->bits, c->bit + CALL_BITS);
	u64 bit = c->bit;
	bool first = wire_test(c, bit);
	bool set = first;
	u32 bytes, pad;

	while (bit < limit) {
		u64 next = run_end(c, bit, set, limit), word;
		u32 n = drbd_vli_encode(next - bit, &word);

		if (!n || !put_bits(&w, word, n))
			break;
		bit = next;
		set = !set;
	}
	bytes = (w.at + 7) / 8;
	pad = bytes * 8 - w.at;
	if (!bytes || bit - c->bit < (u64)bytes * 8)
		return 0;
	body[0] = (u8)(CODING_VLI | pad << 4 | (first ? 0x80 : 0));
	*end = bit;
	return bytes + 1;
}

static u32 encode_plain(struct bitcode_cursor *c, u8 *body, u64 *end)
{
	u64 start = core_align_down(c->bit, 64);
	u32 len = (u32)min((u64)c->chunk, plain_rest(c, start));
	u32 i;

	if (!scale(c)) {
		drbd_bitmap_extract(c->bm, c->slot, start / 64, body, len / 8);
	} else {
		memset(body, 0, len);
		for (i = 0; i < len * 8 && start + i < c->bits; i++)
			if (wire_test(c, start + i))
				body[i / 8] |= (u8)(1u << (i % 8));
	}
	*end = min(start + (u64)len * 8, c->bits);
	return len;
}

enum bitcode_result drbd_bitcode_encode(struct bitcode_cursor *c, u16 *cmd,
					void *body, u32 *len)
{
	u32 header = PACKET_ORDINARY_MAX - c->chunk;
	u64 end = c->bit;

	if (c->terminated)
		return BITCODE_DONE;
	if (c->bit >= c->bits) {
		c->terminated = true;
		if (!c->plain_last && c->bits)
			return BITCODE_DONE;
		*cmd = P_BITMAP;
		*len = 0;
		c->stats.plain_packets++;
		c->stats.plain_bytes += header;
		return BITCODE_PACKET;
	}
	*len = c->use_rle ? encode_rle(c, body, &end) : 0;
	if (*len) {
		*cmd = P_COMPRESSED_BITMAP;
		c->plain_last = false;
		c->stats.rle_packets++;
		c->stats.rle_bytes += header + *len;
	} else {
		*cmd = P_BITMAP;
		*len = encode_plain(c, body, &end);
		c->plain_last = true;
		c->stats.plain_packets++;
		c->stats.plain_bytes += header + *len;
	}
	c->bit = end;
	return BITCODE_PACKET;
}

/* -- receiver -- */

static enum bitcode_result bad(const char **error, const char *text)
{
	*error = text;
	return BITCODE_ERROR;
}

static enum bitcode_result decode_plain(struct bitcode_cursor *c, const u8 *p,
					u32 len, const char **error)
{
	u64 start = core_align_down(c->bit, 64);
	u64 want = c->bit < c->bits ? min((u64)c->chunk, plain_rest(c, start)) : 0;
	u32 i;

	if (len != want)
		return bad(error, "plain bitmap packet of the wrong size");
	c->stats.plain_packets++;
	c->stats.plain_bytes += PACKET_ORDINARY_MAX - c->chunk + len;
	if (!len) {
		c->terminated = true;
		return BITCODE_DONE;
	}
	if (!scale(c)) {
		drbd_bitmap_merge(c->bm, c->slot, start / 64, p, len / 8);
	} else {
		for (i = 0; i < len * 8 && start + i < c->bits; i++)
			if (p[i / 8] >> (i % 8) & 1)
				wire_set(c, start + i, start + i);
	}
	c->bit = min(start + (u64)len * 8, c->bits);
	return BITCODE_PACKET;
}

/* Up to 64 bits of the code from bit @at on. */
static u64 peek_bits(const u8 *p, u32 at, u32 end)
{
	u64 word = 0;
	u32 i, n = min(end - at, 64u);

	for (i = 0; i < n; i++)
		word |= (u64)(p[(at + i) / 8] >> ((at + i) % 8) & 1) << i;
	return word;
}

/* Merges the run that ends at c->run_end, or a piece of it. True when done. */
static bool merge_run(struct bitcode_cursor *c, u64 *budget)
{
	u64 n = min(c->run_end - c->bit, *budget);

	if (n)
		wire_set(c, c->bit, c->bit + n - 1);
	c->bit += n;
	*budget -= n;
	if (c->bit < c->run_end)
		return false;
	c->run_end = 0;
	return true;
}

static enum bitcode_result rle_end(struct bitcode_cursor *c, u32 len)
{
	c->code_at = 0;
	c->stats.rle_packets++;
	c->stats.rle_bytes += PACKET_ORDINARY_MAX - c->chunk + len;
	if (c->bit < c->bits)
		return BITCODE_PACKET;
	c->terminated = true;
	return BITCODE_DONE;
}

static enum bitcode_result decode_rle(struct bitcode_cursor *c, const u8 *p,
				      u32 len, const char **error)
{
	u64 budget = CALL_BITS;
	u32 end, runs = 0;
	bool set;

	if (len < 2)
		return bad(error, "compressed bitmap packet too small");
	if (len > c->chunk)
		return bad(error, "compressed bitmap packet too large");
	if ((p[0] & 0xf) != CODING_VLI)
		return bad(error, "unknown encoding of a bitmap");
	end = (len - 1) * 8 - (p[0] >> 4 & 7);

	/* A packet that is half used goes on where it stopped. */
	set = c->code_at ? c->next_set : p[0] >> 7;
	for (;;) {
		u64 run;
		u32 n;

		if (c->run_end && !merge_run(c, &budget))
			break;
		if (c->code_at >= end)
			return rle_end(c, len);
		if (++runs > 4096 || !budget)
			break;
		n = drbd_vli_decode(peek_bits(p + 1, c->code_at, end),
				    min(end - c->code_at, 64u), &run);
		if (!n)
			return bad(error, "bitmap decoding error: incomplete code");
		if (run > c->bits - c->bit)
			return bad(error, "bitmap overflow: a run behind the end");
		c->code_at += n;
		if (set)
			c->run_end = c->bit + run;
		else
			c->bit += run;
		set = !set;
	}
	c->next_set = set;
	return BITCODE_AGAIN;
}

enum bitcode_result drbd_bitcode_decode(struct bitcode_cursor *c, u16 cmd,
					const void *body, u32 len,
					const char **error)
{
	*error = NULL;
	if (c->terminated)
		return bad(error, "bitmap packet behind the end of the bitmap");
	if (cmd == P_BITMAP && !c->code_at)
		return decode_plain(c, body, len, error);
	if (cmd == P_COMPRESSED_BITMAP)
		return decode_rle(c, body, len, error);
	return bad(error, "another packet among those of a bitmap");
}
