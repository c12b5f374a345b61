/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a file in one way and prints how long that took; for tests/bench.
 *
 * measure sequential FILE [OFFSET COUNT]       read() of 1 MiB each:         SECONDS BYTES
 * measure mapped FILE                          adds up every word of it:     SECONDS BYTES
 * measure touched FILE                         the first byte of each page:  SECONDS BYTES
 * measure random FILE SIZE COUNT SEED [warm]   pread() at random places:     SECONDS BYTES P50 P99 (s)
 * measure opens FILE COUNT                     open() and close():           SECONDS COUNT
 *
 * Random places are multiples of SIZE, one in each of COUNT equal parts of the file, the same for the same
 * SEED. `warm` reads them all once before the clock starts. What fails or comes short ends the program with a
 * sentence.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 1 << 20, PAGE = 4096 };

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t number(const char *text) {
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (errno || end == text || *end)
        errx(2, "not a number: %s", text);
    return value;
}

static int open_file(const char *path, uint64_t *ret_size) {
    struct stat stat;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &stat) < 0)
        err(1, "%s", path);
    *ret_size = (uint64_t)stat.st_size;
    return fd;
}

static void *allocate(size_t size) {
    void *memory = aligned_alloc(PAGE, (size + PAGE - 1) / PAGE * PAGE);
    if (!memory)
        errx(1, "no memory");
    memset(memory, 1, size); /* its page faults are none of the file's */
    return memory;
}

static void sequential(const char *path, uint64_t offset, uint64_t count) {
    char *buffer = allocate(PIECE);
    uint64_t size, done = 0;
    double start = now_s();
    int fd = open_file(path, &size);
    if (lseek(fd, (off_t)offset, SEEK_SET) < 0)
        err(1, "%s", path);
    while (done < count) {
        ssize_t got = read(fd, buffer, PIECE < count - done ? PIECE : count - done);
        if (got < 0)
            err(1, "%s at %" PRIu64, path, offset + done);
        if (got == 0)
            break;
        done += (uint64_t)got;
    }
    double end = now_s();
    if (count == UINT64_MAX ? offset + done != size : done != count)
        errx(1, "%s ends after %" PRIu64, path, offset + done);
    printf("%.6f %" PRIu64 "\n", end - start, done);
    free(buffer);
    close(fd);
}

/* Adds up what is at every `stride` words; the loop over all of them is as fast as memory. */
static uint64_t add_up(const uint64_t *words, uint64_t count, uint64_t stride) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < count; i += stride)
        sum += words[i];
    return sum;
}

static void mapped(const char *path, bool every_word) {
    uint64_t size;
    double start = now_s();
    int fd = open_file(path, &size);
    const uint64_t *memory = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        err(1, "mmap of %s", path);
    volatile uint64_t sum = add_up(memory, size / sizeof *memory, every_word ? 1 : PAGE / sizeof *memory);
    (void)sum; /* is volatile so that it is really made */
    munmap((void *)(uintptr_t)memory, size);
    close(fd);
    printf("%.6f %" PRIu64 "\n", now_s() - start, size);
}

/* xorshift64*: places have to be the same on every machine, nothing more */
static uint64_t random_next(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

/* One place in each of count equal parts of the file, in random order: so none comes twice. */
static uint64_t *choose_places(uint64_t size, uint64_t piece, uint64_t count, uint64_t seed) {
    uint64_t *places = allocate(count * sizeof *places), state = seed * 2 + 1, slots = size / piece;
    if (slots == 0)
        errx(1, "the file is smaller than one read");
    for (uint64_t i = 0; i < count; i++) {
        uint64_t low = slots * i / count, high = slots * (i + 1) / count;
        places[i] = (low + random_next(&state) % (high > low ? high - low : 1)) * piece;
    }
    for (uint64_t i = count - 1; i > 0; i--) {
        uint64_t other = random_next(&state) % (i + 1), place = places[i];
        places[i] = places[other];
        places[other] = place;
    }
    return places;
}

static int compare(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void read_places(int fd, const char *path, const uint64_t *places, uint64_t count, char *buffer,
    uint64_t piece, double *took) {
    double before = now_s();
    for (uint64_t i = 0; i < count; i++) {
        ssize_t got = pread(fd, buffer, piece, (off_t)places[i]);
        if (got < 0)
            err(1, "%s at %" PRIu64, path, places[i]);
        if ((uint64_t)got != piece)
            errx(1, "%s at %" PRIu64 ": %zd bytes", path, places[i], got);
        double after = now_s();
        took[i] = after - before;
        before = after;
    }
}

static void random_places(const char *path, uint64_t piece, uint64_t count, uint64_t seed, bool warm) {
    if (piece == 0 || count == 0)
        errx(2, "SIZE and COUNT are at least 1");
    uint64_t size;
    int fd = open_file(path, &size);
    uint64_t *places = choose_places(size, piece, count, seed);
    double *took = allocate(count * sizeof *took);
    char *buffer = allocate(piece);
    if (warm)
        read_places(fd, path, places, count, buffer, piece, took);
    double start = now_s();
    read_places(fd, path, places, count, buffer, piece, took);
    double end = now_s();
    qsort(took, count, sizeof *took, compare);
    printf("%.6f %" PRIu64 " %.6f %.6f\n", end - start, piece * count, took[count / 2],
        took[count * 99 / 100]);
    free(buffer);
    free(took);
    free(places);
    close(fd);
}

static void opens(const char *path, uint64_t count) {
    double start = now_s();
    for (uint64_t i = 0; i < count; i++) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || close(fd) < 0)
            err(1, "%s", path);
    }
    printf("%.6f %" PRIu64 "\n", now_s() - start, count);
}

int main(int argc, char **argv) {
    const char *how = argc > 2 ? argv[1] : "", *path = argc > 2 ? argv[2] : NULL;
    if (!strcmp(how, "sequential") && (argc == 3 || argc == 5))
        sequential(path, argc == 5 ? number(argv[3]) : 0, argc == 5 ? number(argv[4]) : UINT64_MAX);
    else if ((!strcmp(how, "mapped") || !strcmp(how, "touched")) && argc == 3)
        mapped(path, !strcmp(how, "mapped"));
    else if (!strcmp(how, "random") && (argc == 6 || (argc == 7 && !strcmp(argv[6], "warm"))))
        random_places(path, number(argv[3]), number(argv[4]), number(argv[5]), argc == 7);
    else if (!strcmp(how, "opens") && argc == 4)
        opens(path, number(argv[3]));
    else
        errx(2, "usage: measure sequential|mapped|touched|random|opens FILE …");
    return 0;
}
