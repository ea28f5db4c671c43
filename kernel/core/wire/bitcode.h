/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * wire/bitcode.h - a bitmap slot as a sequence of packets, plain or run-length
 * coded, and back.
 *
 * Unit on the wire is always 4 KiB per bit. Each call handles one packet and is
 * bounded, so that the bitmap lock is never held for long; the cursor carries
 * over. Lock: the bitmap lock of the device.
 *
 * Specification: wire.md 7.2, 7.3.
 */
#ifndef DRBD_CORE_WIRE_BITCODE_H
#define DRBD_CORE_WIRE_BITCODE_H

#include "packet.h"
#include "../data/bitmap.h"

struct bitcode_stats {
	u64 plain_bytes, rle_bytes;	/* header included */
	u32 plain_packets, rle_packets;
};

/* Position within a bitmap that is being sent or received. */
struct bitcode_cursor {
	struct bitmap *bm;
	u32 slot;
	u32 chunk;		/* payload bytes of a full plain packet */
	u64 bits;		/* on the wire, in all */
	u64 bit;		/* next one */
	bool use_rle;		/* sender: try run lengths first */
	bool plain_last;	/* sender: the last packet was a plain one */
	bool terminated;	/* sender: all is sent; receiver: complete */
	u32 code_at;		/* receiver: bits used of the packet at hand */
	bool next_set;		/* receiver: polarity of the next run */
	u64 run_end;		/* receiver: end of a run that is half merged, 0 = none */
	struct bitcode_stats stats;
};

enum bitcode_result {
	BITCODE_PACKET,		/* a packet was made, or used up; more follow */
	BITCODE_AGAIN,		/* receiver: enough for one hold of the lock; call again
				 * with the same packet */
	BITCODE_DONE,		/* sender: nothing more to send; receiver: complete */
	BITCODE_ERROR,		/* receiver: protocol error, see *error */
};

/* Start at bit 0 of @slot. @use_rle: configured, and version >= 90. */
void drbd_bitcode_start(struct bitcode_cursor *c, const struct wire_link *link,
			struct bitmap *bm, u32 slot, bool use_rle);

/*
 * Makes the next packet: its body into @body (room for c->chunk bytes), *@cmd
 * and *@len. BITCODE_PACKET, or BITCODE_DONE when all has been sent (then there
 * is no packet in this call). An empty slot still makes packets.
 */
enum bitcode_result drbd_bitcode_encode(struct bitcode_cursor *c, u16 *cmd,
					void *body, u32 *len);

/*
 * Merges (ors) a received body into the slot; call it until it does not return
 * BITCODE_AGAIN. BITCODE_DONE after the last packet; on BITCODE_ERROR *@error
 * says what was wrong, and the cursor is unusable. What was merged stays: a set
 * bit too many is safe.
 */
enum bitcode_result drbd_bitcode_decode(struct bitcode_cursor *c, u16 cmd,
					const void *body, u32 len,
					const char **error);

/* The variable-length integers of the code, alone (tests, tools).
 * Bits of the code word of @run (0 if it cannot be coded), and the word. */
u32 drbd_vli_encode(u64 run, u64 *word);
/* Decodes from the low end of @word, of which @have bits are valid: bits used,
 * or 0 if it is incomplete or impossible. */
u32 drbd_vli_decode(u64 word, u32 have, u64 *run);

#endif
