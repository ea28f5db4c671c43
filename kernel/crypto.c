// SPDX-License-Identifier: GPL-2.0
/* Digests by name, from the kernel's crypto interface. */
#include <crypto/hash.h>
#include <linux/slab.h>

#include "glue.h"

/* Bytes of a digest of @alg; 0 and a message if the kernel has none of this name. */
u32 drbd_digest_size(const char *alg)
{
	struct crypto_shash *tfm = crypto_alloc_shash(alg, 0, 0);
	u32 size;

	if (IS_ERR(tfm)) {
		pr_err("drbd: cannot use %s (%ld): is its kernel module there?\n", alg, PTR_ERR(tfm));
		return 0;
	}
	size = crypto_shash_digestsize(tfm);
	crypto_free_shash(tfm);
	return size;
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
