#define _GNU_SOURCE /* memfd_create, syscall */
#include "libdwq/wire/doorbell.h"

#include <stdlib.h>
#include <string.h>

#if defined __linux__ && !defined DWQI_SMPI

#include <fcntl.h>
#include <linux/futex.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    AWAKE = 0,
    ARMED = 1
};

/* What a rank shares: one page. */
struct shared {
    _Atomic uint32_t word; /* AWAKE or ARMED */
    uint32_t unused;
    uint64_t secret;
};
_Static_assert(sizeof(_Atomic uint32_t) == 4, "futex word");

struct dwqi_bell {
    struct shared *shared;
    struct dwqi_bell_address address;
};

struct dwqi_ringers {
    int n;
    bool reach_all;
    struct shared **shared;               /* [n]; NULL: not mapped yet */
    struct dwqi_bell_address addresses[]; /* host 0: not to be reached */
};

/* --- Memory ------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 1099511628211u; /* FNV-1a */
    return hash ^ hash >> 29;
}

/* A number for this kernel, user and process namespace: where /proc/PID/fd of
 * the others can be opened. 0: cannot be told. */
static uint64_t host_number(void)
{
    char boot[64] = "";
    struct stat space;
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, boot, sizeof boot - 1) : -1;
    uint64_t hash = 14695981039346656037u;

    if (fd >= 0) {
        close(fd);
    }
    if (n <= 0 || stat("/proc/self/ns/pid", &space) != 0) {
        return 0;
    }
    for (ssize_t i = 0; i < n; i++) {
        hash = mix(hash, (unsigned char)boot[i]);
    }
    hash = mix(mix(hash, space.st_ino), geteuid());
    return hash ? hash : 1;
}

static struct shared *map(int fd)
{
    void *memory = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE,
                        MAP_SHARED, fd, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

static void unmap(struct shared *shared)
{
    if (shared) {
        munmap(shared, sizeof *shared);
    }
}

/* The memory of another rank, or NULL. */
static struct shared *map_of(const struct dwqi_bell_address *address)
{
    char path[64];
    struct shared *shared;
    struct stat file;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)address->process,
             (int)address->file);
    fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return NULL;
    }
    /* By now the number may stand for any file. */
    shared = fstat(fd, &file) == 0 && S_ISREG(file.st_mode) &&
                     file.st_size == sizeof *shared
                 ? map(fd)
                 : NULL;
    close(fd);
    if (shared && shared->secret != address->secret) {
        unmap(shared);
        return NULL;
    }
    return shared;
}

static bool make_shared(struct dwqi_bell *bell)
{
    struct dwqi_bell_address *address = &bell->address;

    address->host = host_number();
    address->process = (int32_t)getpid();
    address->file = memfd_create("libdwq-doorbell", MFD_CLOEXEC);
    if (address->host == 0 || address->file < 0 ||
        getrandom(&address->secret, sizeof address->secret, GRND_NONBLOCK) !=
            (ssize_t)sizeof address->secret ||
        ftruncate(address->file, sizeof(struct shared)) != 0) {
        return false;
    }
    bell->shared = map(address->file);
    if (bell->shared) {
        bell->shared->secret = address->secret;
    }
    return bell->shared != NULL;
}

/* Others open it in the same way. */
static bool can_be_opened(const struct dwqi_bell *bell)
{
    struct shared *shared = map_of(&bell->address);

    unmap(shared);
    return shared != NULL;
}

/* --- The bell ----------------------------------------------------------- */

struct dwqi_bell *dwqi_bell_create(void)
{
    const char *wanted = getenv("DWQ_DOORBELL");
    struct dwqi_bell *bell;

    if (wanted && strcmp(wanted, "0") == 0) {
        return NULL;
    }
    bell = calloc(1, sizeof *bell);
    if (!bell) {
        return NULL;
    }
    bell->address.file = -1;
    if (!make_shared(bell) || !can_be_opened(bell)) {
        dwqi_bell_destroy(bell);
        return NULL;
    }
    return bell;
}

void dwqi_bell_destroy(struct dwqi_bell *bell)
{
    if (bell) {
        unmap(bell->shared);
        if (bell->address.file >= 0) {
            close(bell->address.file);
        }
        free(bell);
    }
}

struct dwqi_bell_address dwqi_bell_address(const struct dwqi_bell *bell)
{
    return bell ? bell->address : (struct dwqi_bell_address){ .host = 0 };
}

/* The order of the two stores and loads on both sides is what makes it work:
 * each writes (word, message), then reads the other's (message, word), with a
 * full fence between. */
void dwqi_bell_arm(struct dwqi_bell *bell)
{
    atomic_store_explicit(&bell->shared->word, ARMED, memory_order_seq_cst);
    atomic_thread_fence(memory_order_seq_cst);
}

void dwqi_bell_wait(struct dwqi_bell *bell, double seconds)
{
    struct timespec bound = { .tv_sec = (time_t)seconds };

    bound.tv_nsec = (long)((seconds - (double)bound.tv_sec) * 1e9);
    /* Comes back at once if the word is not ARMED any more; on a signal, too,
     * and then a wait was short. */
    syscall(SYS_futex, &bell->shared->word, FUTEX_WAIT, ARMED, &bound, NULL, 0);
}

void dwqi_bell_disarm(struct dwqi_bell *bell)
{
    atomic_store_explicit(&bell->shared->word, AWAKE, memory_order_relaxed);
}

/* --- Ringing ------------------------------------------------------------ */

struct dwqi_ringers *dwqi_ringers_create(
    const struct dwqi_bell_address *addresses, int n)
{
    struct dwqi_ringers *ringers =
        calloc(1, sizeof *ringers + (size_t)n * sizeof ringers->addresses[0]);
    uint64_t here = host_number();

    if (!ringers) {
        return NULL;
    }
    ringers->n = n;
    ringers->reach_all = true;
    ringers->shared = calloc((size_t)n + 1, sizeof(struct shared *));
    if (!ringers->shared) {
        free(ringers);
        return NULL;
    }
    for (int i = 0; i < n; i++) {
        if (here != 0 && addresses[i].host == here) {
            ringers->addresses[i] = addresses[i];
        } else {
            ringers->reach_all = false;
        }
    }
    return ringers;
}

void dwqi_ringers_destroy(struct dwqi_ringers *ringers)
{
    if (ringers) {
        for (int i = 0; i < ringers->n; i++) {
            unmap(ringers->shared[i]);
        }
        free(ringers->shared);
        free(ringers);
    }
}

bool dwqi_ringers_reach_all(const struct dwqi_ringers *ringers)
{
    return ringers && ringers->reach_all;
}

/* Map the peer's memory at the first ring; try once. */
static struct shared *shared_of(struct dwqi_ringers *ringers, int peer)
{
    struct dwqi_bell_address *address = &ringers->addresses[peer];

    if (!ringers->shared[peer] && address->host != 0) {
        ringers->shared[peer] = map_of(address);
        if (!ringers->shared[peer]) {
            address->host = 0;
        }
    }
    return ringers->shared[peer];
}

void dwqi_ringers_ring(struct dwqi_ringers *ringers, int peer)
{
    struct shared *shared = ringers ? shared_of(ringers, peer) : NULL;

    if (!shared) {
        return;
    }
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&shared->word, memory_order_seq_cst) == ARMED &&
        atomic_exchange_explicit(&shared->word, AWAKE, memory_order_seq_cst) ==
            ARMED) {
        syscall(SYS_futex, &shared->word, FUTEX_WAKE, 1, NULL, NULL, 0);
    }
}

#else

struct dwqi_bell *dwqi_bell_create(void)
{
    return NULL;
}

void dwqi_bell_destroy(struct dwqi_bell *bell)
{
    (void)bell;
}

struct dwqi_bell_address dwqi_bell_address(const struct dwqi_bell *bell)
{
    (void)bell;
    return (struct dwqi_bell_address){ .host = 0 };
}

void dwqi_bell_arm(struct dwqi_bell *bell)
{
    (void)bell;
}

void dwqi_bell_wait(struct dwqi_bell *bell, double seconds)
{
    (void)bell;
    (void)seconds;
}

void dwqi_bell_disarm(struct dwqi_bell *bell)
{
    (void)bell;
}

struct dwqi_ringers *dwqi_ringers_create(
    const struct dwqi_bell_address *addresses, int n)
{
    (void)addresses;
    (void)n;
    return NULL;
}

void dwqi_ringers_destroy(struct dwqi_ringers *ringers)
{
    (void)ringers;
}

bool dwqi_ringers_reach_all(const struct dwqi_ringers *ringers)
{
    (void)ringers;
    return false;
}

void dwqi_ringers_ring(struct dwqi_ringers *ringers, int peer)
{
    (void)ringers;
    (void)peer;
}

#endif
