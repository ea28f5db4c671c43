// SPDX-License-Identifier: GPL-2.0
/* Digests by name, from the kernel's crypto interface: of blocks, and for authentication. */
#include <crypto/hash.h>
#include <linux/highmem.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "glue.h"

/* Why @tfm cannot be used for blocks, or NULL. */
static const char *unfit(struct crypto_shash *tfm)
{
	if (crypto_shash_get_flags(tfm) & CRYPTO_TFM_NEED_KEY)
		return "it needs a key";
	if (crypto_shash_digestsize(tfm) > WIRE_MAX_DIGEST)
		return "its digest is longer than 64 bytes";
	return NULL;
}

/* Whether this kernel can make digests of @alg; may load a module. The answer is a
 * sentence for the administrator, or "". */
int drbd_digest_check(const char *alg, const char *use, char *text)
{
	struct crypto_shash *tfm = crypto_alloc_shash(alg, 0, 0);
	const char *why;

	if (IS_ERR(tfm)) {
		snprintf(text, CORE_TEXT_MAX, "failed to allocate %s for %s: is it a hash that /proc/crypto knows?",
			 alg, use);
		return PTR_ERR(tfm);
	}
	why = unfit(tfm);
	crypto_free_shash(tfm);
	if (!why)
		return 0;
	snprintf(text, CORE_TEXT_MAX, "may not use %s for %s: %s", alg, use, why);
	return -EINVAL;
}

static struct drbd_digest *digest_alloc(const char *alg)
{
	struct drbd_digest *d = kzalloc(sizeof(*d), GFP_NOIO | __GFP_NOFAIL);
	unsigned int noio = memalloc_noio_save();

	d->tfm = crypto_alloc_shash(alg, 0, 0);
	memalloc_noio_restore(noio);
	if (IS_ERR(d->tfm) || unfit(d->tfm)) {
		int err = IS_ERR(d->tfm) ? PTR_ERR(d->tfm) : -EINVAL;

		if (!IS_ERR(d->tfm))
			crypto_free_shash(d->tfm);
		kfree(d);
		return ERR_PTR(err);
	}
	refcount_set(&d->ref, 1);
	d->size = crypto_shash_digestsize(d->tfm);
	strscpy(d->name, alg, sizeof(d->name));
	return d;
}

void drbd_digest_put(struct drbd_digest *d)
{
	if (!d || !refcount_dec_and_test(&d->ref))
		return;
	crypto_free_shash(d->tfm);
	kfree(d);
}

struct drbd_digest *drbd_digest_get(struct drbd_connection *conn, enum drbd_digest_use use)
{
	struct drbd_digest *d;

	spin_lock(&conn->digest_lock);
	d = conn->digest[use];
	if (d)
		refcount_inc(&d->ref);
	spin_unlock(&conn->digest_lock);
	return d;
}

/* The length is what the codecs go by: each is looked at by one thread only. */
static void tell_codec(struct wire_link *wire, enum drbd_digest_use use, u8 size)
{
	switch (use) {
	case DIGEST_IN:
		wire->digest_in = size;
		break;
	case DIGEST_OUT:
		wire->digest_out = size;
		break;
	case DIGEST_CSUMS:
		wire->csums_digest = size;
		break;
	default:
		wire->verify_digest = size;
	}
}

/* Takes @d over. */
static void exchange(struct drbd_connection *conn, enum drbd_digest_use use, struct drbd_digest *d)
{
	struct drbd_digest *old;

	spin_lock(&conn->digest_lock);
	old = conn->digest[use];
	conn->digest[use] = d;
	tell_codec(&conn->wire, use, d ? d->size : 0);
	spin_unlock(&conn->digest_lock);
	drbd_digest_put(old);
}

int drbd_digest_set(struct drbd_connection *conn, enum drbd_digest_use use, const char *alg)
{
	struct drbd_digest *d = drbd_digest_get(conn, use);
	bool same = !strcmp(alg, d ? d->name : "");

	drbd_digest_put(d);
	if (same)
		return 0;
	d = alg[0] ? digest_alloc(alg) : NULL;
	if (IS_ERR(d)) {
		drbd_err(conn->res, "%s: cannot use %s (%ld): is its kernel module there?",
			 conn->conf.name, alg, PTR_ERR(d));
		return PTR_ERR(d);
	}
	exchange(conn, use, d);
	return 0;
}

void drbd_digests_clear(struct drbd_connection *conn)
{
	int use;

	for (use = 0; use < DIGEST_USES; use++)
		exchange(conn, use, NULL);
}

void drbd_digest_bio(const struct drbd_digest *d, struct bio *bio, const struct bvec_iter *from,
		     u8 *out)
{
	SHASH_DESC_ON_STACK(desc, d->tfm);
	struct bvec_iter iter;
	struct bio_vec bv;
	int err;

	desc->tfm = d->tfm;
	err = crypto_shash_init(desc);
	__bio_for_each_segment(bv, bio, iter, *from) {
		void *p = compat_map(bv.bv_page);

		err = err ?: crypto_shash_update(desc, p + bv.bv_offset, bv.bv_len);
		compat_unmap(p);
	}
	err = err ?: crypto_shash_final(desc, out);
	/* a digest that could not be made must not look like one that was */
	if (!core_check(!err))
		memset(out, 0, d->size);
	shash_desc_zero(desc);
}

/* HMAC of @msg; *@out_len is the room in @out before, the digest's length after. */
int drbd_hmac(const char *alg, const char *secret, const void *msg, u32 len, u8 *out, u32 *out_len)
{
	char name[CRYPTO_MAX_ALG_NAME];
	struct crypto_shash *tfm;
	int err;

	snprintf(name, sizeof(name), "hmac(%s)", alg);
	tfm = crypto_alloc_shash(name, 0, 0);
	if (IS_ERR(tfm)) {
		pr_err("drbd: cannot use %s for authentication (%ld): is its kernel module there?\n",
		       name, PTR_ERR(tfm));
		return PTR_ERR(tfm);
	}
	err = crypto_shash_digestsize(tfm) > *out_len ? -EOVERFLOW : 0;
	*out_len = crypto_shash_digestsize(tfm);
	if (!err)
		err = crypto_shash_setkey(tfm, secret, strlen(secret));
	if (!err)
		err = crypto_shash_tfm_digest(tfm, msg, len, out);
	crypto_free_shash(tfm);
	return err;
}
