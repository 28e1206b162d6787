#define _GNU_SOURCE /* MAP_ANONYMOUS, makecontext */
#include "libdwq/base/aside.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <ucontext.h>
#include <unistd.h>

#define STACK_MIN ((size_t)1 << 20)
#define STACK_MAX ((size_t)1 << 28) /* where the limit says: none */

struct dwqi_aside {
    void (*function)(void *arg);
    void *arg;
    bool done;
    ucontext_t inside, outside;
    void *stack; /* below it a page that nobody may touch */
    size_t size;
};

/* As large as that of main(): memory is taken as it is touched. */
static size_t stack_size(void)
{
    struct rlimit limit;
    size_t size = STACK_MAX;

    if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < STACK_MAX) {
        size = (size_t)limit.rlim_cur;
    }
    return size > STACK_MIN ? size : STACK_MIN;
}

/* makecontext() hands on ints. */
static void enter(unsigned high, unsigned low)
{
    struct dwqi_aside *aside =
        (struct dwqi_aside *)((uintptr_t)((uint64_t)high << 32 | low));

    aside->function(aside->arg);
    aside->done = true;
}

static void prepare(struct dwqi_aside *aside)
{
    uint64_t at = (uint64_t)(uintptr_t)aside;

    getcontext(&aside->inside);
    aside->inside.uc_stack.ss_sp = aside->stack;
    aside->inside.uc_stack.ss_size = aside->size;
    aside->inside.uc_link = &aside->outside;
    makecontext(&aside->inside, (void (*)(void))enter, 2, (unsigned)(at >> 32),
                (unsigned)at);
}

struct dwqi_aside *dwqi_aside_create(void (*function)(void *arg), void *arg)
{
    struct dwqi_aside *aside = calloc(1, sizeof *aside);

    if (!aside) {
        return NULL;
    }
    aside->function = function;
    aside->arg = arg;
    aside->size = stack_size();
    aside->stack = mmap(NULL, aside->size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (aside->stack == MAP_FAILED) {
        free(aside);
        return NULL;
    }
    mprotect(aside->stack, (size_t)sysconf(_SC_PAGESIZE), PROT_NONE);
    prepare(aside);
    return aside;
}

void dwqi_aside_destroy(struct dwqi_aside *aside)
{
    if (aside) {
        munmap(aside->stack, aside->size);
        free(aside);
    }
}

void dwqi_aside_resume(struct dwqi_aside *aside)
{
    if (!aside->done) {
        swapcontext(&aside->outside, &aside->inside);
    }
}

void dwqi_aside_pause(struct dwqi_aside *aside)
{
    swapcontext(&aside->inside, &aside->outside);
}
