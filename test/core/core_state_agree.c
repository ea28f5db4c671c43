// SPDX-License-Identifier: GPL-2.0-only
#include "../../kernel/core/state/agree.c"
