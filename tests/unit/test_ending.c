/* What a process leaves behind when it ends. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "libdwq/base/ending.h"

Test(ending, a_code_that_is_not_0_is_none_that_a_shell_takes_for_0)
{
    static const int codes[][2] = { { 0, 0 },    { 1, 1 },      { 255, 255 },
                                    { 256, 1 },  { 257, 1 },    { -1, 255 },
                                    { -256, 1 }, { 1 << 30, 1 } };

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        cr_expect_eq(dwqi_exit_code(codes[i][0]), codes[i][1], "code %d",
                     codes[i][0]);
    }
}

Test(ending, all_streams_are_written, .timeout = 60)
{
    FILE *file = tmpfile();
    char text[8] = "";

    cr_assert_not_null(file);
    fputs("kept", file);
    cr_expect(dwqi_flush_all());
    cr_expect_eq(pread(fileno(file), text, sizeof text, 0), 4);
    fclose(file);
}

static void *holds(void *stream)
{
    flockfile(stream);
    pause();
    return NULL;
}

/* _exit: stdio is not to be touched any more, as the header says. */
Test(ending, a_stream_that_another_thread_is_in_is_not_waited_for,
     .timeout = 60, .exit_code = 7)
{
    pthread_t thread;

    pthread_create(&thread, NULL, holds, stdin);
    while (ftrylockfile(stdin) == 0) {
        funlockfile(stdin);
    }
    _exit(dwqi_flush_all() ? 1 : 7);
}
