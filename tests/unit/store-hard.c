/* SPDX-License-Identifier: Apache-2.0 */
/* The store on bad days: two daemons at odds, crashes between two steps, disks and servers that fail. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/range_server.h"
#include "base/bus.h"
#include "base/clock.h"
#include "base/fault.h"
#include "store/store.h"
#include "check.h"

#define BLOCKS     40
#define SIZE       (BLOCKS * STORE_BLOCK_BYTES + 1234)
#define PATIENT_MS 6000
#define LOCK_HASH  ((off_t)1 << 40)

static unsigned char content[SIZE], back[SIZE];
static char key[DIGEST_TEXT_SIZE];
static struct range_server servers[2];

/* --- a source that knows an address for each daemon --- */

struct source_access {
    struct range_server *server;
};

static int file_request(const struct source_access *from, const struct source_file *file,
    struct source_ask *ret_ask, struct reason *reason) {
    (void)file;
    (void)reason;
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/file", from->server->port);
    *ret_ask = (struct source_ask){.url = mem_text(url)};
    return 0;
}

static int file_head(const struct source_access *from, const struct source_file *file,
    const struct http_head *head, bool direct, struct source_lesson *ret_lesson, struct reason *reason) {
    (void)from;
    (void)file;
    (void)direct;
    (void)ret_lesson;
    return head->status >= 500 ? err_because(reason, -ERR_SERVER, "status %d", head->status) : 0;
}

static const struct source source = {.name = "test", .file_request = file_request, .file_head = file_head};

struct house {
    struct options *options;
    struct http_loop *http;
    struct pool *pool;
    struct store *store;
    struct source_access access;
};

static const struct source_access *access_of(void *context, const struct source *which) {
    (void)which;
    return &((struct house *)context)->access;
}

static const struct option_row *const tables[] = {store_options, NULL};

static const char *most_connections; /* of the next house; NULL: as it comes */

static void move_in(struct house *house, const char *folder, int number) {
    struct reason reason = {""};
    house->access.server = &servers[number];
    house->options = options_new(tables);
    CHECK(!options_set(house->options, "min_free_bytes", "0", "test", NULL));
    CHECK(!options_set(house->options, "stall_timeout_s", "3", "test", NULL));
    if (most_connections)
        CHECK(!options_set(house->options, "max_connections", most_connections, "test", NULL));
    CHECK(!http_loop_start(&(struct http_settings){.user_agent = "test"}, "http", &house->http));
    CHECK(!pool_start("pool", 3, &house->pool));
    struct store_settings settings = {.path = folder,
        .instance = number ? "other" : "one",
        .options = house->options,
        .http = house->http,
        .pool = house->pool,
        .access_of = access_of,
        .context = house};
    CHECK_OK(store_open(&settings, &house->store, &reason));
}

static void move_out(struct house *house) {
    store_stop(house->store);
    http_loop_stop(house->http);
    pool_stop(house->pool);
    store_close(house->store);
    options_free(house->options);
}

static struct blob *get_sized(struct house *house, uint64_t size) {
    struct blob *blob = NULL;
    struct blob_origin origin = {&source,
        {"acme/tiny", "0000000000000000000000000000000000000000", "file", key, size}};
    CHECK(!blob_get(house->store, &origin, &blob));
    return blob;
}

static struct blob *get(struct house *house) {
    return get_sized(house, SIZE);
}

/* --- a reader --- */

struct reader {
    struct wait wait;
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    bool finished;
    int result;
};

static void finish(struct wait *wait, int result) {
    struct reader *reader = list_entry(wait, struct reader, wait);
    (void)pthread_mutex_lock(&reader->mutex);
    reader->finished = true;
    reader->result = result;
    (void)pthread_cond_signal(&reader->condition);
    (void)pthread_mutex_unlock(&reader->mutex);
}

#define READER                                                                        \
    {                                                                                 \
        .wait.finish = finish, .mutex = PTHREAD_MUTEX_INITIALIZER,                    \
        .condition = PTHREAD_COND_INITIALIZER                                         \
    }

/* Waits for a parked read; -ETIMEDOUT (and taken back) when nobody serves it. */
static int outcome(struct reader *reader, unsigned ms) {
    uint64_t until = clock_ms() + ms;
    for (;;) {
        (void)pthread_mutex_lock(&reader->mutex);
        bool finished = reader->finished;
        (void)pthread_mutex_unlock(&reader->mutex);
        if (finished)
            return reader->result;
        if (clock_ms() > until && wait_withdraw(&reader->wait))
            return -ETIMEDOUT;
        (void)usleep(1000);
    }
}

static int read_range(struct blob *blob, uint32_t generation, void *data, size_t len, uint64_t offset) {
    struct reader reader = READER;
    int result = blob_await(blob, generation, offset, len, false, &reader.wait);
    if (result == PARKED)
        result = outcome(&reader, PATIENT_MS);
    return result < 0 ? result : (int)blob_read(blob, generation, data, len, offset);
}

static struct blob_info look(struct blob *blob) {
    struct blob_info info;
    blob_look(blob, &info);
    return info;
}

static bool reaches(struct blob *blob, enum blob_state state) {
    for (uint64_t until = clock_ms() + 8000; clock_ms() < until;) {
        if (look(blob).state == state)
            return true;
        (void)usleep(2000);
    }
    return false;
}

static int open_in(const char *folder, const char *name, int flags) {
    char path[256];
    (void)snprintf(path, sizeof path, "%s/parts/%s/%s", folder, key, name);
    return open(path, flags | O_CLOEXEC);
}

/* As another daemon would: says "I hash". */
static int take_hash(const char *folder) {
    int fd = open_in(folder, "map", O_RDWR);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCK_HASH, .l_len = 1};
    CHECK(fd >= 0 && !fcntl(fd, F_OFD_SETLK, &lock));
    return fd;
}

/* Leaves every block here and none verified, as a kill before the hash's end does. */
static void leave_full(const char *folder) {
    struct house house;
    move_in(&house, folder, 0);
    struct blob *blob = get(&house);
    CHECK(!blob_use(blob, 1));
    CHECK(read_range(blob, 1, back, 10, 0) == 10);
    int fd = take_hash(folder);
    blob_want(blob);
    CHECK(reaches(blob, BLOB_FULL));
    blob_unwant(blob);
    blob_unuse(blob);
    blob_put(blob);
    move_out(&house);
    (void)close(fd);
}

static void what_was_full_is_sealed_by_the_next_pull(void) {
    leave_full("hard-full");
    struct house house;
    move_in(&house, "hard-full", 0);
    struct blob *blob = get(&house);
    CHECK(look(blob).state == BLOB_FULL || look(blob).state == BLOB_COMPLETE);
    blob_want(blob);
    CHECK(reaches(blob, BLOB_COMPLETE)); /* nobody reads: the pull alone has it hashed */
    blob_unwant(blob);
    blob_put(blob);
    move_out(&house);
}

static void a_read_parked_at_a_busy_folder_is_served(void) {
    struct house house;
    move_in(&house, "hard-busy", 0);
    struct blob *blob = get(&house);
    CHECK(!blob_use(blob, 1));
    CHECK(read_range(blob, 1, back, 10, 0) == 10);
    blob_unuse(blob);
    blob_put(blob);
    move_out(&house);
    move_in(&house, "hard-busy", 0);
    blob = get(&house);
    int fd = open_in("hard-busy", ".", O_RDONLY | O_DIRECTORY);
    CHECK(fd >= 0 && !flock(fd, LOCK_EX));
    int used = blob_use(blob, 1);
    CHECK_OK(used);
    struct reader reader = READER;
    int result = blob_await(blob, 1, 0, 10, false, &reader.wait);
    CHECK(result == PARKED);
    (void)usleep(100000);
    (void)close(fd);
    CHECK_OK(outcome(&reader, PATIENT_MS));
    blob_unuse(blob);
    blob_put(blob);
    move_out(&house);
}

/* Reads [first, end) in blocks, or says that it could not. */
static bool reads_blocks(struct blob *blob, size_t first, size_t end) {
    for (; first < end; first++) {
        size_t at = first * STORE_BLOCK_BYTES, len = SIZE - at < STORE_BLOCK_BYTES ? SIZE - at : STORE_BLOCK_BYTES;
        if (read_range(blob, 1, back + at, len, at) != (int)len)
            return false;
    }
    return true;
}

static void no_reader_of_two_mounts_holds_a_wrong_whole(void) {
    struct house one, other;
    move_in(&one, "hard-two", 0);
    move_in(&other, "hard-two", 1);
    servers[0].flip_at = servers[1].flip_at = 777;
    struct blob *a = get(&one), *b = get(&other);
    CHECK(!blob_use(a, 1) && !blob_use(b, 1));
    size_t piece = 16 * STORE_BLOCK_BYTES, second = 20 * STORE_BLOCK_BYTES;
    CHECK(reads_blocks(a, 36, BLOCKS + 1) && reads_blocks(a, 16, 20));
    /* Both wait for a piece; the two together are what is missing, and come at the same moment. */
    servers[0].hold = servers[1].hold = 1;
    struct reader first = READER, last = READER;
    CHECK(blob_await(a, 1, 0, piece, false, &first.wait) == PARKED);
    CHECK(blob_await(b, 1, second, piece, false, &last.wait) == PARKED);
    for (uint64_t until = clock_ms() + 5000; !(servers[0].held && servers[1].held) && clock_ms() < until;)
        (void)usleep(1000);
    CHECK(servers[0].held && servers[1].held);
    servers[0].hold = servers[1].hold = 0;
    int results[2] = {outcome(&first, PATIENT_MS), outcome(&last, PATIENT_MS)};
    CHECK(results[0] || results[1]); /* the later of the two is withheld */
    servers[0].flip_at = servers[1].flip_at = SIZE_MAX;
    blob_unuse(a);
    blob_unuse(b);
    blob_put(a);
    blob_put(b);
    move_out(&one);
    move_out(&other);
}

static void a_listing_with_another_size_harms_nobody(void) {
    struct house house;
    move_in(&house, "hard-size", 0);
    struct blob *right = get(&house);
    blob_want(right);
    CHECK(reaches(right, BLOB_COMPLETE));
    blob_unwant(right);
    struct blob *wrong = get_sized(&house, SIZE - 1);
    (void)look(wrong);
    CHECK(look(right).state == BLOB_COMPLETE);
    CHECK(look(right).generation == 2);
    blob_put(right);
    blob_put(wrong);
    move_out(&house);
}

static void sealing_goes_on_after_a_failure(void) {
    struct house house;
    CHECK(!fault_arm("store_seal_sync_folder:EIO:0:1"));
    move_in(&house, "hard-seal", 0);
    struct blob *blob = get(&house);
    blob_want(blob);
    CHECK(reaches(blob, BLOB_VERIFIED));
    CHECK(reaches(blob, BLOB_COMPLETE)); /* it is tried again after 5 s */
    blob_unwant(blob);
    blob_put(blob);
    move_out(&house);
    CHECK(!fault_arm(""));
}

static void a_part_that_cannot_be_read_is_told(void) {
    struct house house;
    leave_full("hard-eio");
    int fd = open_in("hard-eio", "data", O_RDWR);
    CHECK(fd >= 0);
    move_in(&house, "hard-eio", 0);
    int lock = take_hash("hard-eio");
    struct blob *blob = get(&house);
    CHECK(!blob_use(blob, 1));
    struct reader reader = READER;
    CHECK(blob_await(blob, 1, 0, 100, false, &reader.wait) == PARKED);
    CHECK(!ftruncate(fd, SIZE - 1)); /* to the hash this reads as a disk that fails */
    (void)close(lock);
    (void)usleep(4500 * 1000); /* longer than stall_timeout_s */
    (void)pthread_mutex_lock(&reader.mutex);
    bool finished = reader.finished;
    (void)pthread_mutex_unlock(&reader.mutex);
    uint64_t (*progress)(struct wait *) = atomic_load(&reader.wait.progress);
    /* either it was told, or its stall clock runs */
    CHECK(finished || clock_ms() - progress(&reader.wait) > 3000);
    if (!finished)
        (void)wait_withdraw(&reader.wait);
    CHECK(!ftruncate(fd, SIZE));
    (void)close(fd);
    blob_unuse(blob);
    blob_put(blob);
    move_out(&house);
}

static void a_stalled_daemon_stops_no_other_reads_of_its_neighbour(void) {
    struct house one, other;
    move_in(&one, "hard-neighbour", 0);
    move_in(&other, "hard-neighbour", 1);
    struct blob *a = get(&one), *b = get(&other);
    CHECK(!blob_use(a, 1) && !blob_use(b, 1));
    servers[0].hold = 1;
    struct reader held = READER, behind = READER;
    CHECK(blob_await(a, 1, 10 * STORE_BLOCK_BYTES, 10, false, &held.wait) == PARKED);
    for (uint64_t until = clock_ms() + 5000; !servers[0].held && clock_ms() < until;)
        (void)usleep(1000);
    CHECK(servers[0].held);
    CHECK(blob_await(b, 1, 10 * STORE_BLOCK_BYTES, 10, false, &behind.wait) == PARKED);
    uint64_t start = clock_ms();
    CHECK(read_range(b, 1, back, 10, 30 * STORE_BLOCK_BYTES) == 10);
    CHECK(clock_ms() - start < 700); /* the first's fetch is given up after a second */
    servers[0].hold = 0;
    CHECK_OK(outcome(&held, PATIENT_MS));
    CHECK_OK(outcome(&behind, PATIENT_MS));
    blob_unuse(a);
    blob_unuse(b);
    blob_put(a);
    blob_put(b);
    move_out(&one);
    move_out(&other);
}

static void what_is_open_is_not_evicted(void) {
    struct house one, other;
    move_in(&one, "hard-open", 0);
    move_in(&other, "hard-open", 1);
    struct blob *a = get(&one), *b = get(&other);
    CHECK(!blob_use(a, 1));
    CHECK(read_range(a, 1, back, 10, 0) == 10);
    blob_unuse(a);
    (void)usleep(300000);
    CHECK(!blob_use(a, 1)); /* open again, nothing read yet */
    uint64_t freed = 0;
    CHECK_ERROR(blob_evict(b, &freed), -EBUSY);
    CHECK(read_range(a, 1, back, 10, 0) == 10);
    blob_unuse(a);
    blob_put(a);
    blob_put(b);
    move_out(&one);
    move_out(&other);
}

static void a_server_without_ranges_that_stops_early_is_told(void) {
    struct house house;
    move_in(&house, "hard-short", 0);
    struct blob *blob = get(&house);
    CHECK(!blob_use(blob, 1));
    servers[0].ignore_ranges = 1;
    servers[0].cut_after = 10 * STORE_BLOCK_BYTES;
    struct reader reader = READER;
    CHECK(blob_await(blob, 1, 30 * STORE_BLOCK_BYTES, 10, false, &reader.wait) == PARKED);
    int result = outcome(&reader, 15000);
    CHECK(result < 0 && result != -ETIMEDOUT);
    servers[0].ignore_ranges = 0;
    servers[0].cut_after = SIZE_MAX;
    blob_unuse(blob);
    blob_put(blob);
    move_out(&house);
}

static void the_refetch_ends_with_the_neighbours_seal(void) {
    struct house one, other;
    move_in(&one, "hard-refetch", 0);
    move_in(&other, "hard-refetch", 1);
    struct blob *a = get(&one), *b = get(&other);
    servers[0].flip_at = 5;
    int fd = -1;
    CHECK(!blob_use(a, 1));
    CHECK(read_range(a, 1, back, 10, 0) == 10);
    fd = take_hash("hard-refetch");
    blob_want(a);
    CHECK(reaches(a, BLOB_FULL));
    blob_unwant(a);
    servers[0].status = 503; /* the first is wrong, and then nothing more comes to the one */
    (void)close(fd);
    for (uint64_t until = clock_ms() + 5000; look(a).generation != 3 && clock_ms() < until;)
        (void)usleep(1000);
    blob_unuse(a);
    blob_want(b);
    CHECK(reaches(b, BLOB_COMPLETE));
    blob_unwant(b);
    CHECK(reaches(a, BLOB_COMPLETE));
    (void)usleep(300000);
    CHECK(!look(a).wanted);
    uint64_t freed = 0;
    CHECK_OK(blob_evict(a, &freed));
    servers[0].status = 0;
    servers[0].flip_at = SIZE_MAX;
    blob_put(a);
    blob_put(b);
    move_out(&one);
    move_out(&other);
}

/* In a process of its own, which ends between two steps of what follows a mismatch. */
static void die_at_a_mismatch(void) {
    if (fault_arm("store_write_meta:abort:1:1"))
        _exit(1);
    CHECK(!range_server_start(&servers[0], content, SIZE));
    struct house house;
    move_in(&house, "hard-dead", 0);
    servers[0].flip_at = 99;
    struct blob *blob = get(&house);
    blob_want(blob);
    (void)usleep(8000 * 1000);
    _exit(2);
}

static void a_killed_generation_does_not_come_back(void) {
    fflush(NULL);
    pid_t pid = fork();
    if (!pid)
        die_at_a_mismatch();
    int status = 0;
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 99);
}

static void a_killed_generation_stays_dead(void) {
    struct house house;
    move_in(&house, "hard-dead", 0);
    struct blob *blob = get(&house);
    /* Blocks of it are in the kernel's pages. Either it is dead, or what is here is what they came from. */
    CHECK(look(blob).generation > 1 || look(blob).bytes_here);
    blob_put(blob);
    move_out(&house);
}

/* --- a server whose heads can be held --- */

#define LARGE (16u << 20)

static atomic_int slow_held, slow_hold, troubles;

static void *slow_answers(void *context) {
    int fd = (int)(intptr_t)context;
    char head[4096], text[256];
    static char zeros[65536];
    ssize_t got;
    while ((got = recv(fd, head, sizeof head - 1, 0)) > 0) {
        unsigned long long first = 0, last = LARGE - 1;
        head[got] = 0;
        const char *range = strcasestr(head, "\r\nRange: bytes=");
        bool partial = range && sscanf(range, "\r\n%*[^=]=%llu-%llu", &first, &last) == 2;
        if (last - first > LARGE / 2 && atomic_load(&slow_hold)) {
            atomic_store(&slow_held, 1);
            for (int i = 0; i < 2000 && atomic_load(&slow_hold); i++)
                (void)usleep(1000);
        }
        int len = snprintf(text, sizeof text,
            "HTTP/1.1 %s\r\nContent-Length: %llu\r\nContent-Range: bytes %llu-%llu/%u\r\n\r\n",
            partial ? "206 Partial" : "200 OK", last - first + 1, first, last, LARGE);
        (void)send(fd, text, (size_t)len, MSG_NOSIGNAL);
        for (; first <= last; first += sizeof zeros)
            if (send(fd, zeros, last - first + 1 < sizeof zeros ? last - first + 1 : sizeof zeros,
                    MSG_NOSIGNAL) < 0)
                break;
    }
    (void)close(fd);
    return NULL;
}

static void *slow_listens(void *context) {
    for (int fd; (fd = accept((int)(intptr_t)context, NULL, NULL)) >= 0;) {
        pthread_t thread;
        CHECK(!pthread_create(&thread, NULL, slow_answers, (void *)(intptr_t)fd));
        (void)pthread_detach(thread);
    }
    return NULL;
}

static void hears(void *context, const struct news *news) {
    (void)context;
    if (news->kind == NEWS_BLOB_TROUBLE) {
        atomic_fetch_add(&troubles, 1);
        (void)fprintf(stderr, "trouble: %s\n", news->text);
    }
}

static void a_range_may_be_cut_before_its_head_comes(void) {
    struct range_server slow = {.size = LARGE};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(!bind(fd, (struct sockaddr *)&address, len) && !listen(fd, 16) &&
          !getsockname(fd, (struct sockaddr *)&address, &len));
    slow.port = ntohs(address.sin_port);
    pthread_t thread;
    CHECK(!pthread_create(&thread, NULL, slow_listens, (void *)(intptr_t)fd));
    struct house house;
    most_connections = "1"; /* one pull then asks for all there is in one range */
    move_in(&house, "hard-cut", 0);
    most_connections = NULL;
    house.access.server = &slow;
    bus_listen(hears, NULL);
    struct blob *blob = get_sized(&house, LARGE);
    CHECK(!blob_use(blob, 1));
    slow_hold = 1;
    CHECK(read_range(blob, 1, back, 10, LARGE - 10) == 10); /* the address is known now */
    CHECK(read_range(blob, 1, back, 10, 0) == 10);
    blob_want(blob);
    for (uint64_t until = clock_ms() + 3000; !slow_held && clock_ms() < until;)
        (void)usleep(1000);
    CHECK(slow_held);
    CHECK_NUMBER(read_range(blob, 1, back, 10, LARGE / 8 * 6), 10);
    slow_hold = 0;
    (void)usleep(500000);
    CHECK(!troubles);
    blob_unwant(blob);
    blob_unuse(blob);
    blob_put(blob);
    move_out(&house);
    bus_reset();
    (void)shutdown(fd, SHUT_RDWR);
    (void)pthread_join(thread, NULL);
    (void)close(fd);
}

/* --- all at once, for the sanitizers --- */

struct crowd {
    struct blob *blob;
    atomic_bool *stop;
    unsigned seed;
};

static void *reads_at_random(void *context) {
    struct crowd *crowd = context;
    unsigned char *mine = malloc(200000);
    while (!atomic_load(crowd->stop)) {
        uint32_t generation = look(crowd->blob).generation;
        if (blob_use(crowd->blob, generation))
            continue;
        for (int i = 0; i < 6; i++) {
            size_t at = (size_t)rand_r(&crowd->seed) % SIZE, len = 1 + (size_t)rand_r(&crowd->seed) % 200000;
            struct reader reader = READER;
            len = len < SIZE - at ? len : SIZE - at;
            int result = blob_await(crowd->blob, generation, at, len, i & 1, &reader.wait);
            if (result == PARKED)
                result = outcome(&reader, rand_r(&crowd->seed) % 4 ? 5000 : 1);
            if (!result && blob_read(crowd->blob, generation, mine, len, at) == (ssize_t)len)
                CHECK(!memcmp(mine, content + at, len));
        }
        blob_unuse(crowd->blob);
    }
    free(mine);
    return NULL;
}

static void *disturbs(void *context) {
    struct crowd *crowd = context;
    while (!atomic_load(crowd->stop)) {
        uint64_t freed;
        switch (rand_r(&crowd->seed) % 4) {
        case 0: blob_retry(crowd->blob); break;
        case 1: (void)blob_evict(crowd->blob, &freed); break;
        case 2:
            blob_want(crowd->blob);
            (void)usleep(3000);
            blob_unwant(crowd->blob);
            break;
        case 3: servers[0].cut_after = rand_r(&crowd->seed) % 2 ? SIZE_MAX : 150000; break;
        }
        (void)usleep(rand_r(&crowd->seed) % 5000);
    }
    return NULL;
}

static void a_crowd(void) {
    struct house houses[2];
    atomic_bool stop = false;
    struct crowd crowds[8];
    pthread_t threads[8];
    for (int i = 0; i < 2; i++)
        move_in(&houses[i], "hard-crowd", i);
    for (unsigned i = 0; i < 8; i++) {
        crowds[i] = (struct crowd){get(&houses[i % 2]), &stop, 77 + i};
        CHECK(!pthread_create(&threads[i], NULL, i < 6 ? reads_at_random : disturbs, &crowds[i]));
    }
    (void)usleep(5000 * 1000);
    atomic_store(&stop, true);
    for (unsigned i = 0; i < 8; i++) {
        CHECK(!pthread_join(threads[i], NULL));
        blob_put(crowds[i].blob);
    }
    for (int i = 0; i < 2; i++)
        move_out(&houses[i]);
    servers[0].cut_after = SIZE_MAX;
}

#define PART(name) {#name, name}
static const struct part {
    const char *name;
    void (*run)(void);
} parts[] = {
    PART(what_was_full_is_sealed_by_the_next_pull),
    PART(a_read_parked_at_a_busy_folder_is_served),
    PART(no_reader_of_two_mounts_holds_a_wrong_whole),
    PART(a_listing_with_another_size_harms_nobody),
    PART(sealing_goes_on_after_a_failure),
    PART(a_part_that_cannot_be_read_is_told),
    PART(a_stalled_daemon_stops_no_other_reads_of_its_neighbour),
    PART(what_is_open_is_not_evicted),
    PART(a_server_without_ranges_that_stops_early_is_told),
    PART(the_refetch_ends_with_the_neighbours_seal),
    PART(a_killed_generation_stays_dead),
    PART(a_range_may_be_cut_before_its_head_comes),
    PART(a_crowd),
};

int main(int argc, char **argv) {
    char sha256[SHA256_HEX_SIZE];
    for (size_t i = 0; i < SIZE; i++)
        content[i] = (unsigned char)(i * 2654435761u >> 13);
    digest_of(content, SIZE, sha256);
    (void)snprintf(key, sizeof key, "sha256-%s", sha256);
    CHECK(!chdir(check_folder()));
    static char here[4096];
    CHECK(getcwd(here, sizeof here));
    if (argc < 2 || strstr("a_killed_generation_stays_dead", argv[1]))
        a_killed_generation_does_not_come_back(); /* forks: before there are threads */
    for (int i = 0; i < 2; i++)
        CHECK(!range_server_start(&servers[i], content, SIZE));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (argc < 2 || strstr(parts[i].name, argv[1]))
            parts[i].run();
    for (int i = 0; i < 2; i++)
        range_server_stop(&servers[i]);
    return check_result();
}
