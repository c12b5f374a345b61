/* SPDX-License-Identifier: Apache-2.0 */

/* What the kernel counts of this process: proc_pid_stat(5), proc_pid_statm(5), proc_stat(5). Names and
 * meanings are those that Prometheus' own clients use, so that boards for any program work on this one. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/metric.h"
#include "base/path.h"

#define FILE_LIMIT (1u << 20)

static int read_cpu(void *context, double *values, unsigned count) {
    (void)context, (void)count;
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) < 0)
        return -errno;
    values[0] = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    return 0;
}

/* Virtual and resident pages. */
static int read_memory(uint64_t pages[static 2]) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    int error = path_read(AT_FDCWD, "/proc/self/statm", FILE_LIMIT, &text);
    if (error)
        return error;
    return sscanf(buf_text(&text), "%" SCNu64 " %" SCNu64, &pages[0], &pages[1]) == 2 ? 0 : -EIO;
}

static int read_resident(void *context, double *values, unsigned count) {
    (void)context, (void)count;
    uint64_t pages[2];
    int error = read_memory(pages);
    if (!error)
        values[0] = (double)pages[1] * (double)sysconf(_SC_PAGESIZE);
    return error;
}

static int read_virtual(void *context, double *values, unsigned count) {
    (void)context, (void)count;
    uint64_t pages[2];
    int error = read_memory(pages);
    if (!error)
        values[0] = (double)pages[0] * (double)sysconf(_SC_PAGESIZE);
    return error;
}

static int read_descriptors(void *context, double *values, unsigned count) {
    (void)context, (void)count;
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return -errno;
    double open = -1; /* without the one that we read with */
    for (struct dirent *entry; (entry = readdir(folder));)
        open += entry->d_name[0] != '.';
    closedir(folder);
    values[0] = open;
    return 0;
}

static int read_descriptors_most(void *context, double *values, unsigned count) {
    (void)context, (void)count;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -errno;
    values[0] = (double)limit.rlim_cur;
    return 0;
}

/* Field `number` (from 1) of our stat line. The name, the second, is in brackets and may hold anything. */
static int read_stat_field(unsigned number, uint64_t *ret_value) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    int error = path_read(AT_FDCWD, "/proc/self/stat", FILE_LIMIT, &text);
    if (error)
        return error;
    const char *at = strrchr(buf_text(&text), ')');
    for (unsigned field = 2; at && field < number; field++)
        at = strchr(at + 1, ' ');
    return at && sscanf(at, " %" SCNu64, ret_value) == 1 ? 0 : -EIO;
}

static int read_start(void *context, double *values, unsigned count) {
    (void)context, (void)count;
    uint64_t ticks, booted;
    BUF_CLEANUP struct buf text = BUF_INIT;
    int error = read_stat_field(22, &ticks);
    if (!error)
        error = path_read(AT_FDCWD, "/proc/stat", FILE_LIMIT, &text);
    if (error)
        return error;
    const char *at = strstr(buf_text(&text), "\nbtime ");
    if (!at || sscanf(at, " btime %" SCNu64, &booted) != 1)
        return -EIO;
    values[0] = (double)booted + (double)ticks / (double)sysconf(_SC_CLK_TCK);
    return 0;
}

static int read_threads(void *context, double *values, unsigned count) {
    (void)context, (void)count;
    uint64_t threads;
    int error = read_stat_field(20, &threads);
    if (!error)
        values[0] = (double)threads;
    return error;
}

const struct metric_row process_metrics[] = {
    {.name = "process_cpu_seconds_total",
        .type = METRIC_COUNTER,
        .help = "Processor time of the daemon, user and system.",
        .read = read_cpu},
    {.name = "process_resident_memory_bytes",
        .type = METRIC_GAUGE,
        .help = "Memory of the daemon that is in RAM.",
        .read = read_resident},
    {.name = "process_virtual_memory_bytes",
        .type = METRIC_GAUGE,
        .help = "Address space of the daemon.",
        .read = read_virtual},
    {.name = "process_open_fds",
        .type = METRIC_GAUGE,
        .help = "Open descriptors of the daemon.",
        .read = read_descriptors},
    {.name = "process_max_fds",
        .type = METRIC_GAUGE,
        .help = "How many descriptors it may have.",
        .read = read_descriptors_most},
    {.name = "process_threads", .type = METRIC_GAUGE, .help = "Threads of the daemon.", .read = read_threads},
    {.name = "process_start_time_seconds",
        .type = METRIC_GAUGE,
        .help = "When the daemon started, in seconds since 1970.",
        .read = read_start},
    {.name = NULL},
};
