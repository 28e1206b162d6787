/* way SWITCH RANKS: one call of a worker of RANKS ranks, after a hundred others. Prints
 * the address in libdwq.so of each function that any rank enters for it. The library
 * has to be built with -finstrument-functions, and SWITCH is a file that all ranks map:
 * see way.sh. */
#define _GNU_SOURCE /* dladdr */
#include <dlfcn.h>
#include <dwq/dwq.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define N_SEEN 4096 /* more than there are functions */

static volatile char *is_on;
static void *seen[N_SEEN];

void __cyg_profile_func_enter(void *function, void *from)
{
    size_t i = (size_t)function / 4 % N_SEEN;

    (void)from;
    if (is_on && *is_on) {
        while (seen[i] && seen[i] != function) {
            i = (i + 1) % N_SEEN;
        }
        seen[i] = function;
    }
}

static int echo(dwq_call_t *call, void *arg)
{
    double x;

    (void)arg;
    return dwq_arg(call, 0, &x) ? dwq_call_return(call, DWQ_VALUES(x)) : 1;
}

/* All ranks have come to rest before and after the call that counts, so that it does
 * not matter which is faster. */
static int controller(dwq_controller_t *controller, void *arg)
{
    const struct timespec rest = { .tv_nsec = 50 * 1000 * 1000 };
    dwq_task_t task = { .function = "echo", DWQ_ARGS(0.5) };
    dwq_result_t result = { .status = DWQ_OK };

    (void)arg;
    for (int i = 0; i <= 100 && result.status == DWQ_OK; i++) {
        nanosleep(&rest, NULL);
        *is_on = i == 100;
        if (dwq_controller_submit_call(controller, &task, NULL) != DWQ_OK ||
            dwq_controller_get_next_result(controller, &result) != DWQ_OK) {
            return 1;
        }
        dwq_result_clear(&result);
    }
    nanosleep(&rest, NULL);
    *is_on = 0;
    return result.status != DWQ_OK;
}

int main(int argc, char **argv)
{
    const dwq_function_t functions[] = { { .name = "echo", .function = echo },
                                         { .name = NULL } };
    dwq_options_t options = { .controller = controller,
                              .functions = functions };
    int file = argc == 3 ? open(argv[1], O_RDWR) : -1, code;
    void *memory = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    Dl_info in;

    if (memory == MAP_FAILED) {
        return 2;
    }
    is_on = memory;
    options.nprocs_per_worker = atoi(argv[2]);
    options.broker_is_worker = options.nprocs_per_worker > 1;
    code = dwq_main(argc, argv, &options);
    for (size_t i = 0; i < N_SEEN; i++) {
        if (seen[i] && dladdr(seen[i], &in) && strstr(in.dli_fname, "libdwq")) {
            printf("%#zx\n", (size_t)seen[i] - (size_t)in.dli_fbase);
        }
    }
    return code;
}
