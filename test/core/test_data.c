// SPDX
#include "harness.h"
const struct c_test data_tests[] = { { NULL, NULL } };
