/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_DEVICE_H
#define WEIGHTFS_MODEL_DEVICE_H

/*
 * What a model computes on, as the setting `device` names it: `auto` (the engine chooses), `cpu`, or
 * devices of a kind with their numbers, "cuda:0", "vulkan:1", several divided by commas. Pure.
 */

#include <stdbool.h>

#define DEVICE_WANTED "auto, cpu, or devices as cuda:0, rocm:0, vulkan:1 or sycl:0, divided by commas"

bool device_fits(const char *text);

enum device_kind { DEVICE_CUDA, DEVICE_ROCM, DEVICE_VULKAN, DEVICE_SYCL, DEVICE_KIND_COUNT };

/* The device at `*at` of a text that fits; `*at` goes to the next one. false: there is none (also of `auto`
 * and `cpu`). */
bool device_next(const char **at, enum device_kind *ret_kind, unsigned *ret_number);

#endif
