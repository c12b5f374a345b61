/* SPDX-License-Identifier: Apache-2.0 */
/* how much memory there is: of the machine, of control groups, of processes, of graphics processors */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/path.h"
#include "infer/gpu.h"
#include "infer/memory.h"

static char root[64];

/* `path` below the root, its folders made. */
static void put(const char *path, const char *text) {
    char full[300];
    CHECK(snprintf(full, sizeof full, "%s%s", root, path) < (int)sizeof full);
    char *slash = strrchr(full, '/');
    *slash = '\0';
    CHECK_OK(path_make_folders(full));
    *slash = '/';
    CHECK_OK(path_replace(AT_FDCWD, full, text, strlen(text), false));
}

static void begin(void) {
    CHECK(snprintf(root, sizeof root, "/tmp/weightfs-memory.XXXXXX") < (int)sizeof root);
    CHECK(mkdtemp(root) != NULL);
}

static void end(void) {
    CHECK_OK(path_remove_tree(AT_FDCWD, root));
}

static int64_t available(void) {
    uint64_t bytes = 0;
    CHECK_OK(memory_available(root, &bytes));
    return (int64_t)bytes;
}

static void of_the_machine(void) {
    uint64_t bytes = 7;
    begin();
    CHECK_ERROR(memory_available(root, &bytes), -ENOENT);
    CHECK_NUMBER((int64_t)bytes, 7);
    put("/proc/meminfo", "MemTotal:       2048 kB\nMemFree:        1 kB\nMemAvailable:   1000 kB\n");
    CHECK_NUMBER(available(), 1000 * 1024);
    put("/proc/meminfo", "MemTotal:       2048 kB\n");
    CHECK_ERROR(memory_available(root, &bytes), -ENOENT);
    put("/proc/meminfo", "MemAvailable: lots\n");
    CHECK_ERROR(memory_available(root, &bytes), -EPROTO);
    end();
    CHECK_OK(memory_available("", &bytes)); /* here, too */
    CHECK(bytes > 1 << 20);
}

static void of_groups_v2(void) {
    begin();
    put("/proc/meminfo", "MemAvailable:   100000 kB\n");
    put("/proc/self/cgroup", "9:name=systemd:/x\n0::/a.slice/b.service\n");
    CHECK_NUMBER(available(), 102400000); /* no controller */
    put("/sys/fs/cgroup/a.slice/b.service/memory.max", "max\n");
    put("/sys/fs/cgroup/a.slice/b.service/memory.current", "5000\n");
    CHECK_NUMBER(available(), 102400000);
    put("/sys/fs/cgroup/a.slice/b.service/memory.max", "50000\n");
    CHECK_NUMBER(available(), 45000);
    /* files that are only cached can be had */
    put("/sys/fs/cgroup/a.slice/b.service/memory.stat", "anon 1\ninactive_file 2000\nactive_file 1000\n");
    CHECK_NUMBER(available(), 48000);
    /* the least of all groups above */
    put("/sys/fs/cgroup/a.slice/memory.max", "60000\n");
    put("/sys/fs/cgroup/a.slice/memory.current", "40000\n");
    CHECK_NUMBER(available(), 20000);
    put("/sys/fs/cgroup/a.slice/memory.current", "70000\n");
    CHECK_NUMBER(available(), 0);
    end();
}

static void of_groups_v1_and_containers(void) {
    begin();
    put("/proc/meminfo", "MemAvailable:   100000 kB\n");
    put("/proc/self/cgroup", "4:memory:/docker/abc\n0::/\n");
    put("/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "9223372036854771712\n");
    put("/sys/fs/cgroup/memory/docker/abc/memory.usage_in_bytes", "1\n");
    CHECK_NUMBER(available(), 102400000);
    put("/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "3000\n");
    put("/sys/fs/cgroup/memory/docker/abc/memory.stat", "total_inactive_file 1\ntotal_active_file 0\n");
    CHECK_NUMBER(available(), 3000);
    /* the path of the host's view is not there within */
    put("/proc/self/cgroup", "4:memory:/elsewhere\n");
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "2000\n");
    put("/sys/fs/cgroup/memory/memory.usage_in_bytes", "500\n");
    CHECK_NUMBER(available(), 1500);
    end();
}

static void of_processes(void) {
    struct memory_use use = {7, 7};
    begin();
    CHECK_ERROR(memory_of_process(root, 10, &use), -ESRCH);
    CHECK_NUMBER((int64_t)use.own, 7);
    put("/proc/10/status", "Name:\tx\nVmRSS:\t     100 kB\nRssAnon:\t 30 kB\nRssFile:\t      60 kB\n");
    CHECK_OK(memory_of_process(root, 10, &use));
    CHECK_NUMBER((int64_t)use.resident, 100 << 10);
    CHECK_NUMBER((int64_t)use.own, 40 << 10);
    put("/proc/10/task/10/children", "11 12 ");
    put("/proc/11/status", "VmRSS:\t1 kB\n");
    put("/proc/11/task/11/children", "13");
    put("/proc/12/status", "State:\tZ (zombie)\n");
    put("/proc/13/status", "VmRSS:\t5 kB\nRssFile:\t9 kB\n");
    CHECK_OK(memory_of_process(root, 10, &use));
    CHECK_NUMBER((int64_t)use.resident, 106 << 10);
    CHECK_NUMBER((int64_t)use.own, 41 << 10);
    end();
    CHECK_OK(memory_of_process("", getpid(), &use));
    CHECK(use.resident > use.own && use.own > 0);
}

/* ---- graphics processors */

static void of_nvidia(void) {
    struct gpu_figures figures = {0};
    gpu_add_smi("24576, 23000\n", &figures);
    CHECK_NUMBER((int64_t)figures.total, 24576ll << 20);
    CHECK_NUMBER((int64_t)figures.free, 23000ll << 20);
    gpu_add_smi("[N/A], [N/A]\n100, 50\n10, 20\n7\n, 3\nNVIDIA-SMI has failed\n1,1", &figures);
    CHECK_NUMBER((int64_t)figures.total, 24677ll << 20);
    CHECK_NUMBER((int64_t)figures.free, 23051ll << 20);
}

static void of_the_kernel(void) {
    struct gpu_figures figures = {0};
    begin();
    gpu_add_sysfs(root, &figures);
    CHECK_NUMBER((int64_t)figures.total, 0);
    put("/sys/class/drm/card0/device/mem_info_vram_total", "1000\n");
    put("/sys/class/drm/card0/device/mem_info_vram_used", "300\n");
    put("/sys/class/drm/card0-DP-1/device/mem_info_vram_total", "1000\n"); /* one of its plugs */
    put("/sys/class/drm/card0-DP-1/device/mem_info_vram_used", "1\n");
    put("/sys/class/drm/card1/device/vendor", "0x8086\n");
    put("/sys/class/drm/card12/device/mem_info_vram_total", "50\n");
    put("/sys/class/drm/card12/device/mem_info_vram_used", "60\n");
    gpu_add_sysfs(root, &figures);
    CHECK_NUMBER((int64_t)figures.total, 1050);
    CHECK_NUMBER((int64_t)figures.free, 700);
    end();
}

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t told;
    unsigned times;
} news = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

static void on_renewed(void *context) {
    (void)context;
    pthread_mutex_lock(&news.mutex);
    news.times++;
    pthread_cond_broadcast(&news.told);
    pthread_mutex_unlock(&news.mutex);
}

/* What there is in the end; `waits`: somebody has to be asked first. */
static struct gpu_figures look(struct gpu_watch *watch, bool waits) {
    struct gpu_figures figures = {0};
    pthread_mutex_lock(&news.mutex);
    unsigned before = news.times;
    pthread_mutex_unlock(&news.mutex);
    CHECK(gpu_watch_look(watch, &figures) == !waits);
    if (!waits)
        return figures;
    pthread_mutex_lock(&news.mutex);
    while (news.times == before)
        pthread_cond_wait(&news.told, &news.mutex);
    pthread_mutex_unlock(&news.mutex);
    CHECK(gpu_watch_look(watch, &figures));
    return figures;
}

/* A program in the place of nvidia-smi. */
static void put_program(const char *script) {
    char path[100];
    put("/bin/nvidia-smi", script);
    CHECK(snprintf(path, sizeof path, "%s/bin/nvidia-smi", root) < (int)sizeof path);
    CHECK_OK(chmod(path, 0755));
}

static void asked_of_the_program(void) {
    static const char script[] = "#!/bin/sh\n[ \"$1\" = --query-gpu=memory.total,memory.free ] || exit 2\n"
                                 "[ \"$2\" = --format=csv,noheader,nounits ] || exit 2\n"
                                 "echo 100, 40\necho 200, 70\n";
    char path[300];
    TEXT_CLEANUP char *former = mem_text(getenv("PATH"));
    begin();
    put("/bin/nothing", "");
    CHECK(snprintf(path, sizeof path, "%s/bin:%s", root, former) < (int)sizeof path);
    CHECK_OK(setenv("PATH", path, 1));
    struct gpu_watch *none = gpu_watch_new(root, on_renewed, NULL);
    if (access("/usr/bin/nvidia-smi", X_OK) != 0)
        CHECK_NUMBER((int64_t)look(none, false).total, 0); /* no program, no child, no wait */
    gpu_watch_free(none);
    put_program(script);
    struct gpu_watch *watch = gpu_watch_new(root, on_renewed, NULL);
    struct gpu_figures figures = look(watch, true);
    CHECK_NUMBER((int64_t)figures.total, 300 << 20);
    CHECK_NUMBER((int64_t)figures.free, 110 << 20);
    CHECK_NUMBER((int64_t)look(watch, false).total, 300 << 20); /* remembered */
    gpu_watch_free(watch);
    put_program("#!/bin/sh\necho 5, 5\nexit 9\n"); /* it says that it failed */
    watch = gpu_watch_new(root, on_renewed, NULL);
    CHECK_NUMBER((int64_t)look(watch, true).total, 0);
    gpu_watch_free(watch);
    CHECK_OK(setenv("PATH", former, 1));
    end();
}

int main(void) {
    of_the_machine();
    of_groups_v2();
    of_groups_v1_and_containers();
    of_processes();
    of_nvidia();
    of_the_kernel();
    asked_of_the_program();
    return check_result();
}
