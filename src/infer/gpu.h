/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_GPU_H
#define WEIGHTFS_INFER_GPU_H

/*
 * The memory of graphics processors: of NVIDIA's as nvidia-smi on PATH tells it, of others as the kernel's
 * drivers do (/sys/class/drm/cardN/device/mem_info_vram_total and …_used). Several are added up: engines
 * spread a model over all of them.
 *
 * nvidia-smi is a child that may take seconds, so it runs on a thread of the watch's own, and what it said
 * is believed for some seconds. A machine without it starts neither thread nor child.
 */

#include <stdbool.h>
#include <stdint.h>

struct gpu_figures {
    uint64_t total, free; /* bytes; both 0: there is none */
};

struct gpu_watch;

/* `root` is "" but in tests; copied. `renewed` is called on the watch's thread, without any lock. */
struct gpu_watch *gpu_watch_new(const char *root, void (*renewed)(void *context), void *context);
/* Waits for a child that runs, which is bounded. */
void gpu_watch_free(struct gpu_watch *watch);
/* true: what is known, and young enough. false: it is being asked, and `renewed` comes. Any thread, but no
 * lock above QUEUE may be held. */
bool gpu_watch_look(struct gpu_watch *watch, struct gpu_figures *ret_figures);

/* The parts, for tests: one line a processor, "TOTAL, FREE" in MiB; what is no such line is passed over. */
void gpu_add_smi(const char *text, struct gpu_figures *figures);
void gpu_add_sysfs(const char *root, struct gpu_figures *figures);

#endif
