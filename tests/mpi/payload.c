/* Payloads of every size and kind, there and back. */
#include <complex.h>
#include <stdlib.h>

#include "tests/mpi/scenario.h"

#define MIB ((size_t)1 << 20)

/* Of all bytes, or of huge arrays every 4093rd and the last. */
static uint64_t checksum(const uint8_t *data, size_t n)
{
    size_t stride = n > 128 * MIB ? 4093 : 1;
    uint64_t sum = n;

    for (size_t i = 0; i < n; i += stride) {
        sum = sum * 31 + data[i];
    }
    return n > 0 ? sum * 31 + data[n - 1] : sum;
}

static int do_checksum(dwq_call_t *call, void *arg)
{
    dwq_array_t array;

    (void)arg;
    if (!dwq_arg(call, 0, &array) || array.type != DWQ_UINT8) {
        return dwq_call_fail(call, 2, "checksum(array of uint8)");
    }
    if ((uintptr_t)array.data % 64 != 0) {
        return dwq_call_fail(call, 3, "the array is not aligned");
    }
    return dwq_call_return(call,
                           DWQ_VALUES(checksum(array.data, array.shape[0])));
}

static void fill(uint8_t *data, size_t n)
{
    size_t done = n < MIB - 7 ? n : MIB - 7; /* the rest repeats it */

    for (size_t i = 0; i < done; i++) {
        data[i] = (uint8_t)(i * 7 + i / 251);
    }
    while (done < n) {
        size_t size = n - done < done ? n - done : done;

        memcpy(data + done, data, size);
        done += size;
    }
}

/* make(n, borrowed?): n bytes, by dwq_call_alloc or copied. */
static int make(dwq_call_t *call, void *arg)
{
    size_t n = 0;
    uint64_t size = 0;
    bool owned = false;
    dwq_array_t array;

    (void)arg;
    dwq_arg(call, 0, &size);
    dwq_arg(call, 1, &owned);
    n = size;
    array = dwq_call_alloc(call, DWQ_UINT8, 1, &n);
    if (!array.data) {
        return dwq_call_fail(call, 4, "no memory for %zu bytes", n);
    }
    fill(array.data, n);
    if (owned) {
        return dwq_call_return(call, DWQ_VALUES(array));
    }
    return dwq_call_return(call,
                           DWQ_VALUES(dwq_array(DWQ_UINT8, array.data, 1, &n)));
}

static const dwq_function_t functions[] = { { "checksum", do_checksum, NULL },
                                            { "make", make, NULL },
                                            { NULL, NULL, NULL } };

static void send_size(dwq_controller_t *c, size_t n, bool borrow)
{
    uint8_t *data = malloc(n + 1);
    dwq_array_t array = dwq_array(DWQ_UINT8, data, 1, &n);
    uint64_t sum = 0;
    dwq_result_t result;

    CHECK(data != NULL);
    fill(data, n);
    CHECK(dwq_controller_submit_call(
              c,
              &(dwq_task_t){ .function = "checksum",
                             DWQ_ARGS(borrow ? dwq_borrow(array) : array) },
              NULL) == DWQ_OK);
    if (!borrow) {
        memset(data, 0, n); /* it was copied */
        fill(data, n);
    }
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
    CHECK(result.status == DWQ_OK);
    CHECK(dwq_result_get(&result, 0, 0, &sum) && sum == checksum(data, n));
    dwq_result_clear(&result);
    free(data);
}

static void fetch_size(dwq_controller_t *c, size_t n, bool owned)
{
    dwq_result_t result;
    dwq_array_t array;
    uint8_t *expected = malloc(n + 1);

    CHECK(expected != NULL);
    fill(expected, n);
    CHECK(dwq_controller_submit_call(
              c,
              &(dwq_task_t){ .function = "make", DWQ_ARGS((uint64_t)n, owned) },
              NULL) == DWQ_OK);
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
    CHECK(result.status == DWQ_OK);
    CHECK(dwq_result_get(&result, 0, 0, &array) && array.shape[0] == n &&
          (uintptr_t)array.data % 64 == 0 &&
          memcmp(array.data, expected, n) == 0);
    dwq_result_clear(&result);
    free(expected);
}

static int sizes(dwq_controller_t *c, void *arg)
{
    static const size_t list[] = { 0,     1,       63,   64,      3000,
                                   3967,  3968,    3969, 65535,   65536,
                                   65537, MIB - 1, MIB,  MIB + 1, 64 * MIB };

    (void)arg;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        for (int way = 0; way < 2; way++) {
            send_size(c, list[i], way);
            fetch_size(c, list[i], way);
        }
    }
    return 0;
}

static void no_fixed_receive_buffer_up_to_64_mib(void)
{
    scenario_run_options(
        &(dwq_options_t){ .controller = sizes, .functions = functions });
}

static int huge_there(dwq_controller_t *c, void *arg)
{
    (void)arg;
    send_size(c, 2048 * MIB + 4097, true);
    return 0;
}

static void one_array_of_more_than_2_gib_there(void)
{
    scenario_run_options(
        &(dwq_options_t){ .controller = huge_there, .functions = functions });
}

static int huge_back(dwq_controller_t *c, void *arg)
{
    (void)arg;
    fetch_size(c, 2048 * MIB + 4097, true);
    return 0;
}

static void one_array_of_more_than_2_gib_back(void)
{
    scenario_run_options(
        &(dwq_options_t){ .controller = huge_back, .functions = functions });
}

/* --- Kinds -------------------------------------------------------------- */

static void check_scalars(const dwq_result_t *r)
{
    bool b = false;
    int i = 0;
    uint64_t u = 0;
    double d = 0;
    const char *s = NULL;
    dwq_value_t v;

    CHECK(dwq_result_get(r, 0, 0, &b) && b);
    CHECK(dwq_result_get(r, 0, 1, &i) && i == -7);
    CHECK(dwq_result_get(r, 0, 2, &u) && u == UINT64_MAX);
    CHECK(dwq_result_get(r, 0, 3, &d) && d == 0.1);
    CHECK(dwq_result_get(r, 0, 4, &s) && strcmp(s, "text, \"quoted\"") == 0);
    CHECK(dwq_result_get(r, 0, 5, &v) && v.kind == DWQ_KIND_NIL);
    CHECK(!dwq_result_get(r, 0, 4, &d) && d == 0.1);
}

static void check_nested(const dwq_result_t *r)
{
    dwq_value_t v;
    dwq_array_t a;
    const complex double *z;

    CHECK(dwq_result_get(r, 0, 6, &v) && v.kind == DWQ_KIND_LIST &&
          v.u.list.n == 2 && v.u.list.items[1].kind == DWQ_KIND_MAP);
    CHECK(dwq_read_array(dwq_map_find(v.u.list.items[1].u.map, "z"), &a) &&
          a.type == DWQ_COMPLEX_DOUBLE && a.ndim == 2 && a.shape[1] == 2);
    z = a.data;
    CHECK(creal(z[3]) == 4 && cimag(z[3]) == -4);
}

static int kinds(dwq_controller_t *c, void *arg)
{
    complex double z[4] = { 1, 2, 3, 4 - 4 * I };
    dwq_result_t result;
    dwq_value_t array =
        dwq_value(dwq_array(DWQ_COMPLEX_DOUBLE, z, 2, (size_t[]){ 2, 2 }));
    dwq_value_t map = DWQ_MAP({ "z", array }, { "n", dwq_value(2) });

    (void)arg;
    CHECK(dwq_controller_submit_call(
              c,
              &(dwq_task_t){ .function = "echo",
                             DWQ_ARGS((bool)true, -7, UINT64_MAX, 0.1,
                                      "text, \"quoted\"", dwq_value_nil(),
                                      DWQ_LIST(1, map)) },
              NULL) == DWQ_OK);
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
    CHECK(result.status == DWQ_OK);
    check_scalars(&result);
    check_nested(&result);
    dwq_result_clear(&result);
    return 0;
}

static void every_kind_of_value_travels(void)
{
    scenario_run(kinds);
}

/* --- Many --------------------------------------------------------------- */

static void stream(dwq_controller_t *c, int n)
{
    dwq_result_t result;
    int out = 0;

    for (int i = 0; i < n; i++) {
        CHECK(dwq_controller_queue_call(
                  c, &(dwq_task_t){ .function = "square", DWQ_ARGS(1. * i) },
                  NULL) == DWQ_OK);
        for (out++; out > 100; out--) {
            CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
            dwq_result_clear(&result);
        }
    }
    while (dwq_controller_get_next_result(c, &result) == DWQ_OK) {
        dwq_result_clear(&result);
    }
}

static int flat(dwq_controller_t *c, void *arg)
{
    long before;

    (void)arg;
    stream(c, 10000);
    before = resident_kib();
    stream(c, 200000);
    CHECK(SANITIZED || resident_kib() - before < 5 * 1024);
    return 0;
}

static void memory_is_flat_over_a_stream_of_calls(void)
{
    scenario_run(flat);
}

static const struct scenario scenarios[] = {
#define S(name)     \
    {               \
#name, name \
    }
    S(no_fixed_receive_buffer_up_to_64_mib),
    S(one_array_of_more_than_2_gib_there),
    S(one_array_of_more_than_2_gib_back),
    S(every_kind_of_value_travels),
    S(memory_is_flat_over_a_stream_of_calls),
    { NULL, NULL },
};

int main(int argc, char **argv)
{
    return scenario_main(argc, argv, scenarios);
}
