/* Preloaded, it takes the place of Criterion's runner: each test of a program runs in a
 * fork of it, one after another, and is reported as TAP. Criterion starts the program
 * anew for each test, which costs valgrind a second each time, and the thread
 * sanitizer does not get on with how. Fixtures of suites, and tests with
 * parameters or that are to fail, are not known here: a program that has them is
 * refused. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static jmp_buf leave;
static bool failed, skipped;
static const struct criterion_test *current;

/* --- What the macros call ------------------------------------------------- */

void criterion_send_assert(struct criterion_assert_stats *stats)
{
    if (!stats->passed) {
        failed = true;
        printf("# %s:%u: %s\n", stats->file, stats->line, stats->message);
    }
}

void cri_asserts_passed_incr(void)
{
}

void criterion_abort_test(void)
{
    longjmp(leave, 1);
}

void criterion_continue_test(void)
{
}

void criterion_skip_test(const char *format, ...)
{
    va_list args;

    skipped = true;
    printf("# ");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    longjmp(leave, 1);
}

void criterion_internal_test_setup(void)
{
    if (current->data->init) {
        current->data->init();
    }
}

void criterion_internal_test_main(void (*test)(void))
{
    test();
}

void criterion_internal_test_teardown(void)
{
    if (current->data->fini) {
        current->data->fini();
    }
}

/* --- The program's tests --------------------------------------------------- */

static int take_base(struct dl_phdr_info *info, size_t size, void *base_out)
{
    (void)size;
    *(ElfW(Addr) *)base_out = info->dlpi_addr; /* the program is the first */
    return 1;
}

/* A section of this program in memory: `n` pointers. NULL: it has none. */
static void *section(const char *image, const char *wanted, size_t *n_out)
{
    const ElfW(Ehdr) *head = (const void *)image;
    const ElfW(Shdr) *sections = (const void *)(image + head->e_shoff);
    const char *names = image + sections[head->e_shstrndx].sh_offset;
    ElfW(Addr) base = 0;

    dl_iterate_phdr(take_base, &base);
    *n_out = 0;
    for (int i = 0; i < head->e_shnum; i++) {
        if (strcmp(names + sections[i].sh_name, wanted) == 0) {
            *n_out = sections[i].sh_size / sizeof(void *);
            return (void *)(base + sections[i].sh_addr);
        }
    }
    return NULL;
}

static const char *open_self(void)
{
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat facts;
    void *image;

    if (file < 0 || fstat(file, &facts) != 0) {
        return NULL;
    }
    image = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    return image == MAP_FAILED ? NULL : image;
}

enum {
    FAILED = 1,
    PASSED = 76, /* no exit code of a test that leaves early */
    SKIPPED = 77
};

static void play(const struct criterion_test *test)
{
    current = test;
    if (setjmp(leave) == 0) {
        test->test();
    }
    exit(failed ? FAILED : skipped ? SKIPPED : PASSED);
}

/* SKIPPED, PASSED, or something else. The time limit is the runner's. */
static int play_in_fork(const struct criterion_test *test)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        play(test);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        printf("# no process: %s\n", strerror(errno));
        return FAILED;
    }
    if (WIFSIGNALED(status)) {
        printf("# ended by signal %d\n", WTERMSIG(status));
        return FAILED;
    }
    return WEXITSTATUS(status);
}

static bool is_plain(const struct criterion_test *test)
{
    const struct criterion_test_extra_data *data = test->data;

    return data->kind_ == CR_TEST_NORMAL && data->signal == 0 &&
           data->exit_code == 0;
}

int main(void)
{
    const char *image = open_self();
    size_t n = 0, n_suites = 0;
    int n_failed = 0;
    struct criterion_test **tests;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!image) {
        printf("Bail out! the program cannot be read: %s\n", strerror(errno));
        return 1;
    }
    tests = section(image, "cr_tst", &n);
    if (!tests || section(image, "cr_sts", &n_suites)) {
        printf("Bail out! %s\n", tests ? "fixtures of suites" : "no tests");
        return 1;
    }
    for (size_t i = 0; i < n; i++) {
        if (!is_plain(tests[i])) {
            printf("Bail out! %s is no plain test\n", tests[i]->name);
            return 1;
        }
    }
    printf("TAP version 13\n1..%zu\n", n);
    for (size_t i = 0; i < n; i++) {
        int end = play_in_fork(tests[i]);
        bool ok = end == PASSED || end == SKIPPED;

        n_failed += !ok;
        printf("%s %zu - %s::%s%s\n", ok ? "ok" : "not ok", i + 1,
               tests[i]->category, tests[i]->name,
               end == SKIPPED ? " # SKIP" : "");
    }
    return n_failed > 0;
}
