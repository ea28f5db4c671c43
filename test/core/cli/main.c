// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tests of test/core that are written in C, as a program without Go: without
 * arguments all of them, until one fails, which it prints.
 */
#include "../harness.h"

int main(void)
{
	const char *name, *failure;
	int i;

	for (i = 0; (name = t_name(i)); i++) {
		failure = t_run(i);
		if (!failure)
			continue;
		printf("FAIL %s: %s\n", name, failure);
		return 1;
	}
	printf("%d tests passed\n", i);
	return 0;
}
