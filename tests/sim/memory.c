#include "tests/sim/memory.h"

#include <errno.h>
#include <stdlib.h>

static struct {
    bool counts;
    long n, fails; /* numbers, from 1 */
} state;

void memory_begin(long n)
{
    state.counts = true;
    state.n = 0;
    state.fails = n;
}

long memory_end(void)
{
    state.counts = false;
    return state.n;
}

bool memory_has_failed(void)
{
    return state.fails > 0 && state.n >= state.fails;
}

bool memory_is_short(dwq_status_t status)
{
    return status == DWQ_E_NOMEM && memory_has_failed();
}

static bool fails(void)
{
    return state.counts && ++state.n == state.fails;
}

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *memory, size_t size);
int __real_posix_memalign(void **memory, size_t align, size_t size);
int __wrap_posix_memalign(void **memory, size_t align, size_t size);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

int __wrap_posix_memalign(void **memory, size_t align, size_t size)
{
    return fails() ? ENOMEM : __real_posix_memalign(memory, align, size);
}
/* NOLINTEND(bugprone-reserved-identifier) */
