// SPDX-License-Identifier: GPL-2.0-only
#include "base_hook.h"
#include "../../kernel/core/state/agree.c"
