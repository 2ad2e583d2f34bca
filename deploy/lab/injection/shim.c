/* Preloaded into one instance: moves its clock, spoils its disk, hides names. Inert while its control file is empty.
 *
 * RINGBACK_LAB_SHIM names the control file, lines of key=value:
 *   clock_ms        added to CLOCK_REALTIME (the monotonic clocks are left alone: waits go on as they were)
 *   path            only files under this prefix are struck
 *   write_errno     writes fail with it; 28 (ENOSPC) only where they would make the file longer, as on a full disk
 *   sync_errno      fsync and fdatasync fail with it
 *   sync_delay_ms   fsync and fdatasync take so much longer
 *   write_delay_ms  writes take so much longer
 *   names_fail      1: getaddrinfo of what is no number says EAI_AGAIN
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static struct {
    long clock_ms, write_errno, sync_errno, sync_delay_ms, write_delay_ms, names_fail;
    char path[1024];
} told;
static long read_at_ms = -1000;
static pthread_mutex_t reading = PTHREAD_MUTEX_INITIALIZER;

static long monotonic_ms(void) {
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void look(void) {
    int saved = errno;
    long now = monotonic_ms();
    if (now - read_at_ms < 100 || pthread_mutex_trylock(&reading) != 0) return;
    if (now - read_at_ms >= 100) {
        read_at_ms = now;
        char text[2048] = "";
        const char *place = getenv("RINGBACK_LAB_SHIM");
        int file = place ? (int)syscall(SYS_openat, AT_FDCWD, place, O_RDONLY | O_CLOEXEC) : -1;
        if (file >= 0) {
            ssize_t got = syscall(SYS_read, file, text, sizeof text - 1);
            text[got > 0 ? got : 0] = 0;
            syscall(SYS_close, file);
        }
        long clock_ms = 0, write_errno = 0, sync_errno = 0, sync_delay = 0, write_delay = 0, names = 0;
        char path[1024] = "";
        char *rest = text, *line;
        while ((line = strsep(&rest, "\n")) != NULL) {
            char *value = strchr(line, '=');
            if (!value) continue;
            *value++ = 0;
            if (!strcmp(line, "clock_ms")) clock_ms = atol(value);
            else if (!strcmp(line, "write_errno")) write_errno = atol(value);
            else if (!strcmp(line, "sync_errno")) sync_errno = atol(value);
            else if (!strcmp(line, "sync_delay_ms")) sync_delay = atol(value);
            else if (!strcmp(line, "write_delay_ms")) write_delay = atol(value);
            else if (!strcmp(line, "names_fail")) names = atol(value);
            else if (!strcmp(line, "path")) { strncpy(path, value, sizeof path - 1); path[sizeof path - 1] = 0; }
        }
        memcpy(told.path, path, sizeof path);
        told.clock_ms = clock_ms; told.write_errno = write_errno; told.sync_errno = sync_errno;
        told.sync_delay_ms = sync_delay; told.write_delay_ms = write_delay; told.names_fail = names;
    }
    pthread_mutex_unlock(&reading);
    errno = saved;
}

static int struck(int file) {
    char link[64], found[1024];
    int saved = errno;
    struct stat what;
    if (fstat(file, &what) != 0 || !S_ISREG(what.st_mode)) { errno = saved; return 0; }
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t got = readlink(link, found, sizeof found - 1);
    errno = saved;
    if (got <= 0) return 0;
    found[got] = 0;
    return strncmp(found, told.path, strlen(told.path)) == 0;
}

static void delay(long ms) {
    struct timespec wait = {ms / 1000, (ms % 1000) * 1000000};
    int saved = errno;
    while (nanosleep(&wait, &wait) != 0 && errno == EINTR) {}
    errno = saved;
}

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static size_t whole(const struct iovec *data, int count) {
    size_t size = 0;
    for (int i = 0; i < count; i++) size += data[i].iov_len;
    return size;
}

/* Whether the file ends before what is to be written; at -1 is where the file stands, or its end (O_APPEND). */
static int longer(int file, off_t at, size_t size) {
    struct stat what;
    if (fstat(file, &what) != 0) return 0;
    if (at < 0 && (fcntl(file, F_GETFL) & O_APPEND)) return 1;
    if (at < 0) at = lseek(file, 0, SEEK_CUR);
    return at + (off_t)size > what.st_size;
}

/* 1: the call is to fail, errno is set. */
static int writing(int file, off_t at, size_t size) {
    look();
    if (!told.write_errno && !told.write_delay_ms) return 0;
    if (!struck(file)) return 0;
    if (told.write_delay_ms) delay(told.write_delay_ms);
    if (!told.write_errno || (told.write_errno == ENOSPC && !longer(file, at, size))) return 0;
    errno = (int)told.write_errno;
    return 1;
}

static int syncing(int file) {
    look();
    if (!told.sync_errno && !told.sync_delay_ms) return 0;
    if (!struck(file)) return 0;
    if (told.sync_delay_ms) delay(told.sync_delay_ms);
    if (told.sync_errno) { errno = (int)told.sync_errno; return 1; }
    return 0;
}

int clock_gettime(clockid_t which, struct timespec *now) {
    int done = (int)syscall(SYS_clock_gettime, which, now);
    if (done == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) {
        look();
        long ns = now->tv_nsec + (told.clock_ms % 1000) * 1000000;
        now->tv_sec += told.clock_ms / 1000;
        if (ns >= 1000000000) { ns -= 1000000000; now->tv_sec++; }
        if (ns < 0) { ns += 1000000000; now->tv_sec--; }
        now->tv_nsec = ns;
    }
    return done;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *where) {
    struct timespec exact;
    if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return (time_t)-1;
    if (where) *where = exact.tv_sec;
    return exact.tv_sec;
}

ssize_t write(int file, const void *data, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    return writing(file, -1, size) ? -1 : real(file, data, size);
}

ssize_t pwrite(int file, const void *data, size_t size, off_t at) {
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    return writing(file, at, size) ? -1 : real(file, data, size, at);
}

ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    return writing(file, at, size) ? -1 : real(file, data, size, at);
}

ssize_t writev(int file, const struct iovec *data, int count) {
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    return writing(file, -1, whole(data, count)) ? -1 : real(file, data, count);
}

ssize_t pwritev(int file, const struct iovec *data, int count, off_t at) {
    REAL(ssize_t, "pwritev", int, const struct iovec *, int, off_t);
    return writing(file, at, whole(data, count)) ? -1 : real(file, data, count, at);
}

ssize_t pwritev64(int file, const struct iovec *data, int count, off64_t at) {
    REAL(ssize_t, "pwritev64", int, const struct iovec *, int, off64_t);
    return writing(file, at, whole(data, count)) ? -1 : real(file, data, count, at);
}

int posix_fallocate(int file, off_t at, off_t size) {
    REAL(int, "posix_fallocate", int, off_t, off_t);
    return writing(file, at, (size_t)size) ? (int)told.write_errno : real(file, at, size);
}

int posix_fallocate64(int file, off64_t at, off64_t size) {
    REAL(int, "posix_fallocate64", int, off64_t, off64_t);
    return writing(file, at, (size_t)size) ? (int)told.write_errno : real(file, at, size);
}

int fsync(int file) {
    REAL(int, "fsync", int);
    return syncing(file) ? -1 : real(file);
}

int fdatasync(int file) {
    REAL(int, "fdatasync", int);
    return syncing(file) ? -1 : real(file);
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    REAL(int, "getaddrinfo", const char *, const char *, const struct addrinfo *, struct addrinfo **);
    unsigned char number[16];
    look();
    if (told.names_fail && name && inet_pton(AF_INET, name, number) != 1 && inet_pton(AF_INET6, name, number) != 1)
        return EAI_AGAIN;
    return real(name, service, hints, found);
}
