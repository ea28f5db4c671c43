// SPDX-License-Identifier: GPL-2.0-only
#include "../../kernel/core/state/policy9.c"
