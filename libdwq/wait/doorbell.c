#define _GNU_SOURCE /* memfd_create, syscall */
#include "libdwq/wait/doorbell.h"

#include "libdwq/item/transport.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined __linux__ && !defined DWQI_SMPI

#include <fcntl.h>
#include <linux/futex.h>
#include <math.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

enum {
    AWAKE = 0,
    ARMED = 1
};

/* What a rank shares. */
struct shared {
    _Atomic uint32_t word;   /* AWAKE or ARMED */
    _Atomic uint32_t n_near; /* that have mapped it, so far */
    uint64_t secret;
    char line[112]; /* the worker writes the next one with each task */
    struct dwqi_desk desk;
};
_Static_assert(offsetof(struct shared, desk) == 128, "a line of its own");
_Static_assert(sizeof(_Atomic uint32_t) == 4, "futex word");

struct dwqi_bell {
    struct shared *shared;
    struct dwqi_bell_address address;
    struct stat file; /* as it was made: the user may have closed it */
    uint32_t n_peers; /* that have to map it, so far */
};

struct dwqi_ringers {
    int n;
    uint64_t host; /* this rank's */
    bool never_ring;
    unsigned n_missed; /* rings of peers on this host that were not heard */
    struct shared **shared; /* [n]; NULL: not mapped yet */
    struct dwqi_bell_address addresses[];
};

/* --- Memory ------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 1099511628211u; /* FNV-1a */
    return hash ^ hash >> 29;
}

static uint64_t mix_text(const char *text)
{
    uint64_t hash = 14695981039346656037u;

    for (; *text != '\0'; text++) {
        hash = mix(hash, (unsigned char)*text);
    }
    return hash;
}

/* A number for this kernel; 0: it does not tell. */
static uint64_t machine_number(void)
{
    char boot[64] = "";
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, boot, sizeof boot - 1) : -1;

    if (fd >= 0) {
        close(fd);
    }
    return n > 0 ? mix_text(boot) : 0;
}

/* And for this user and process namespace: where /proc/PID/fd of the others can be
 * opened. */
static uint64_t host_number(uint64_t machine)
{
    struct stat space;

    if (machine == 0 || stat("/proc/self/ns/pid", &space) != 0) {
        return 0;
    }
    return mix(mix(machine, space.st_ino), geteuid());
}

static struct dwqi_bell_address address_without_bell(void)
{
    uint64_t machine = machine_number();
    char name[256] = "";

    gethostname(name, sizeof name - 1);
    return (struct dwqi_bell_address){ .machine = machine,
                                       .host = host_number(machine),
                                       .node = mix_text(name),
                                       .process = (int32_t)getpid(),
                                       .file = -1 };
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

    *address = address_without_bell();
    address->file = memfd_create("libdwq-doorbell", MFD_CLOEXEC);
    if (address->host == 0 || address->file < 0 ||
        getrandom(&address->secret, sizeof address->secret, GRND_NONBLOCK) !=
            (ssize_t)sizeof address->secret ||
        ftruncate(address->file, sizeof(struct shared)) != 0 ||
        fstat(address->file, &bell->file) != 0) {
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

/* A number that the user closed may be that of a file of his own by now. */
static bool is_own_file(const struct dwqi_bell *bell)
{
    struct stat now;

    return bell->address.file >= 0 && fstat(bell->address.file, &now) == 0 &&
           now.st_dev == bell->file.st_dev && now.st_ino == bell->file.st_ino;
}

void dwqi_bell_destroy(struct dwqi_bell *bell)
{
    if (bell) {
        unmap(bell->shared);
        if (is_own_file(bell)) {
            close(bell->address.file);
        }
        free(bell);
    }
}

struct dwqi_bell_address dwqi_bell_address(const struct dwqi_bell *bell)
{
    return bell ? bell->address : address_without_bell();
}

void dwqi_bell_expect(struct dwqi_bell *bell, int n)
{
    if (bell) {
        bell->n_peers += (uint32_t)n;
    }
}

bool dwqi_bell_is_reached(const struct dwqi_bell *bell)
{
    return bell && atomic_load_explicit(&bell->shared->n_near,
                                        memory_order_relaxed) >= bell->n_peers;
}

struct dwqi_desk *dwqi_bell_desk(struct dwqi_bell *bell)
{
    return bell ? &bell->shared->desk : NULL;
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

uint32_t dwqi_desk_await(struct dwqi_desk *desk, uint32_t n)
{
    uint32_t now = atomic_load_explicit(&desk->n_asked, memory_order_acquire);

    if (now == n) {
        syscall(SYS_futex, &desk->n_asked, FUTEX_WAIT, n, NULL, NULL, 0);
        now = atomic_load_explicit(&desk->n_asked, memory_order_acquire);
    }
    return now;
}

void dwqi_desk_ask(struct dwqi_desk *desk)
{
    atomic_fetch_add_explicit(&desk->n_asked, 1, memory_order_acq_rel);
    syscall(SYS_futex, &desk->n_asked, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* --- Ringing ------------------------------------------------------------ */

/* Map the peer's memory, and let it know. */
static void reach(struct dwqi_ringers *ringers, int peer)
{
    const struct dwqi_bell_address *address = &ringers->addresses[peer];
    struct shared *shared = map_of(address);

    if (shared) {
        atomic_fetch_add_explicit(&shared->n_near, 1, memory_order_relaxed);
        ringers->shared[peer] = shared;
    }
}

static void find_host(struct dwqi_ringers *ringers)
{
    if (ringers->host == 0) {
        ringers->host = host_number(machine_number());
    }
}

/* Whether the peer has a bell that may be reached: as long as this rank's own host
 * is not known, any. */
static bool is_near(const struct dwqi_ringers *ringers, int peer)
{
    const struct dwqi_bell_address *address = &ringers->addresses[peer];

    return address->file >= 0 &&
           (ringers->host == 0 || address->host == ringers->host);
}

struct dwqi_ringers *dwqi_ringers_create(
    const struct dwqi_bell_address *addresses, int n)
{
    size_t size = (size_t)n * sizeof addresses[0];
    struct dwqi_ringers *ringers = calloc(1, sizeof *ringers + size);

    if (!ringers) {
        return NULL;
    }
    ringers->n = n;
    find_host(ringers);
    ringers->shared = calloc((size_t)n + 1, sizeof(struct shared *));
    if (!ringers->shared) {
        free(ringers);
        return NULL;
    }
    memcpy(ringers->addresses, addresses, size);
    for (int i = 0; i < n; i++) {
        if (is_near(ringers, i)) {
            reach(ringers, i);
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

const struct dwqi_bell_address *dwqi_ringers_addresses(
    const struct dwqi_ringers *ringers, int *n_out)
{
    *n_out = ringers->n;
    return ringers->addresses;
}

/* What could not be mapped may be later, when descriptors are free again: tried at
 * rings 1, 2, 4, 8, ... that were not heard. */
static struct shared *shared_of(struct dwqi_ringers *ringers, int peer)
{
    if (!ringers->shared[peer] && is_near(ringers, peer)) {
        unsigned n = ++ringers->n_missed;

        if ((n & (n - 1)) == 0) {
            find_host(ringers);
            if (is_near(ringers, peer)) {
                reach(ringers, peer);
            }
        }
    }
    return ringers->shared[peer];
}

struct dwqi_desk *dwqi_ringers_desk(struct dwqi_ringers *ringers, int peer)
{
    return ringers && ringers->shared[peer] ? &ringers->shared[peer]->desk
                                            : NULL;
}

void dwqi_ringers_never_ring(struct dwqi_ringers *ringers)
{
    if (ringers) {
        ringers->never_ring = true;
    }
}

void dwqi_ringers_ring(struct dwqi_ringers *ringers, int peer)
{
    struct shared *shared =
        ringers && !ringers->never_ring ? shared_of(ringers, peer) : NULL;

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
    return (struct dwqi_bell_address){ .process = (int32_t)getpid(),
                                       .file = -1 };
}

void dwqi_bell_expect(struct dwqi_bell *bell, int n)
{
    (void)bell;
    (void)n;
}

bool dwqi_bell_is_reached(const struct dwqi_bell *bell)
{
    (void)bell;
    return false;
}

struct dwqi_desk *dwqi_bell_desk(struct dwqi_bell *bell)
{
    (void)bell;
    return NULL;
}

uint32_t dwqi_desk_await(struct dwqi_desk *desk, uint32_t n)
{
    (void)desk;
    return n;
}

void dwqi_desk_ask(struct dwqi_desk *desk)
{
    (void)desk;
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

const struct dwqi_bell_address *dwqi_ringers_addresses(
    const struct dwqi_ringers *ringers, int *n_out)
{
    (void)ringers;
    *n_out = 0;
    return NULL;
}

struct dwqi_desk *dwqi_ringers_desk(struct dwqi_ringers *ringers, int peer)
{
    (void)ringers;
    (void)peer;
    return NULL;
}

void dwqi_ringers_never_ring(struct dwqi_ringers *ringers)
{
    (void)ringers;
}

void dwqi_ringers_ring(struct dwqi_ringers *ringers, int peer)
{
    (void)ringers;
    (void)peer;
}

#endif
