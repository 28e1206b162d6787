/* To preload: the allocations of one rank that the library asks for itself, one of which
 * gets no memory. In the environment: DWQ_TEST_FAIL is RANK:N, the N-th of that rank
 * (0: none); of a spawned rank sRANK:N. DWQ_TEST_FAIL_COUNT is a file for how many
 * there were, when the process ends. */
#define _GNU_SOURCE /* dl_iterate_phdr */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The names behind malloc() and so on in the GNU C library. */
/* NOLINTBEGIN(bugprone-reserved-identifier) */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t align, size_t size);
/* NOLINTEND(bugprone-reserved-identifier) */

static struct {
    uintptr_t first, end; /* of the library's code */
    bool on;              /* this is the rank */
    long number;          /* of the one that fails */
    atomic_long n;        /* so far */
} state;

static int find_code(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    if (!strstr(info->dlpi_name, "libdwq.so")) {
        return 0;
    }
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];

        if (part->p_type == PT_LOAD && (part->p_flags & PF_X)) {
            state.first = info->dlpi_addr + part->p_vaddr;
            state.end = state.first + part->p_memsz;
        }
    }
    return 1;
}

/* The marker is among the arguments of a spawned process. */
static bool is_spawned(void)
{
    char text[4096] = "";
    int file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t n = file >= 0 ? read(file, text, sizeof text - 1) : 0;

    close(file);
    return n > 0 && memmem(text, (size_t)n, "--dwq-spawned=", 14);
}

__attribute__((constructor)) static void begin(void)
{
    const char *wanted = getenv("DWQ_TEST_FAIL");
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    char name[32];

    snprintf(name, sizeof name, "%s%s:", is_spawned() ? "s" : "",
             rank ? rank : "none");
    if (wanted && strncmp(wanted, name, strlen(name)) == 0) {
        state.number = atol(wanted + strlen(name));
        state.on = dl_iterate_phdr(find_code, NULL) == 1;
    }
}

__attribute__((destructor)) static void end(void)
{
    const char *path = getenv("DWQ_TEST_FAIL_COUNT");
    FILE *file = state.on && path ? fopen(path, "w") : NULL;

    if (file) {
        fprintf(file, "%ld\n", atomic_load(&state.n));
        fclose(file);
    }
}

/* Asked for by the code at `caller`: it gets none. The place in the library is said:
 * addr2line -e libdwq.so knows the line. */
static bool fails(const void *caller)
{
    uintptr_t at = (uintptr_t)caller;
    char text[80];
    int n;

    if (!state.on || at < state.first || at >= state.end ||
        atomic_fetch_add(&state.n, 1) + 1 != state.number) {
        return false;
    }
    n = snprintf(text, sizeof text, "the allocation at code + %#lx fails\n",
                 (unsigned long)(at - state.first));
    if (write(STDERR_FILENO, text, (size_t)n) < 0) {
        abort();
    }
    errno = ENOMEM;
    return true;
}

#define FAILS() fails(__builtin_return_address(0))

void *malloc(size_t size)
{
    return FAILS() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return FAILS() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *memory, size_t size)
{
    return FAILS() ? NULL : __libc_realloc(memory, size);
}

int posix_memalign(void **memory_out, size_t align, size_t size)
{
    void *memory = FAILS() ? NULL : __libc_memalign(align, size);

    if (memory) {
        *memory_out = memory;
    }
    return memory ? 0 : ENOMEM;
}

char *strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = FAILS() ? NULL : __libc_malloc(size);

    return copy ? memcpy(copy, text, size) : NULL;
}
