/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DRBD_EXECUTE_H
#define DRBD_EXECUTE_H

struct drbd_resource;

/* Executes the actions of the last step of core, in order; worker only. */
void drbd_execute(struct drbd_resource *res);

#endif
