// SPDX
#include "harness.h"
const struct c_test log_tests[] = { { NULL, NULL } };
