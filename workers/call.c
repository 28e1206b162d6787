#include "workers/call.h"

#include <dwq/flat.h>
#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

#include "libdwq/base/plain.h"
#include "libdwq/item/transport.h"

/* In front of the data of an array that the library owns; as large as the
 * alignment, so that the data is aligned, too. */
struct dwqi_owned {
    struct dwqi_owned *next;
    size_t size; /* bytes of the data */
};

uint64_t dwq_call_id(const dwq_call_t *call)
{
    return call ? call->task->id : 0;
}

int dwq_call_rank(const dwq_call_t *call)
{
    return call ? call->config->rank : 0;
}

int dwq_call_size(const dwq_call_t *call)
{
    return call ? call->config->size : 0;
}

const void *dwqi_call_comm(const dwq_call_t *call)
{
    return call ? call->comm : NULL;
}

size_t dwq_call_n_args(const dwq_call_t *call)
{
    return call ? call->task->args.n : 0;
}

dwq_kwargs_t dwq_call_kwargs(const dwq_call_t *call)
{
    return call ? call->task->kwargs : (dwq_kwargs_t){ 0, NULL };
}

const dwq_value_t *dwq_call_arg(const dwq_call_t *call, size_t index)
{
    return call && index < call->task->args.n ? &call->task->args.items[index]
                                              : NULL;
}

const dwq_value_t *dwq_call_kwarg(const dwq_call_t *call, const char *name)
{
    return dwq_map_find(dwq_call_kwargs(call), name);
}

static bool owns(const dwq_call_t *call, const dwq_array_t *array)
{
    size_t size = dwq_array_size(array);

    for (const struct dwqi_owned *o = call->done.owned; o; o = o->next) {
        const char *data = (const char *)o + DWQI_ALIGN;
        const char *first = array->data;

        if (first >= data && size <= o->size &&
            (size_t)(first - data) <= o->size - size) {
            return true;
        }
    }
    return false;
}

/* A function may keep an array of an earlier call: its memory serves others by now.
 * The arrays of calls around this one are as they were. */
static bool is_live(const void *arg, const dwq_array_t *array)
{
    const unsigned low = (1u << DWQI_ARRAY_CALL_SHIFT) - 1;
    unsigned mark = array->flags & ~low;

    if (!(array->flags & (DWQI_ARRAY_OWNED | DWQI_ARRAY_VIEW))) {
        return true;
    }
    for (const dwq_call_t *call = arg; call; call = call->outer) {
        if (call->mark == mark) {
            return !(array->flags & DWQI_ARRAY_OWNED) || owns(call, array);
        }
    }
    return false;
}

int dwq_call_return(dwq_call_t *call, dwq_values_t values)
{
    struct dwqi_part_head head = { .id = 0 };
    struct dwqi_pack pack;
    const char *why = "out of memory";
    dwq_status_t status;

    if (!call) {
        return DWQ_E_ARG;
    }
    head.id = call->task->id;
    head.n_parts = (uint32_t)call->config->size;
    call->scratch->is_live = is_live;
    call->scratch->live_arg = call;
    status = dwqi_pack_part(&head, NULL, values, call->scratch, &pack, &why);
    if (status != DWQ_OK) {
        call->bad_return = !call->failed || call->bad_return;
        return dwq_call_fail(call, status, "dwq_call_return: %s", why);
    }
    if (call->bad_return) { /* this one replaces it */
        call->bad_return = call->failed = false;
        call->code = 0;
    }
    dwqi_pack_finish(&call->done.pack);
    call->done.pack = pack;
    return 0;
}

dwq_array_t dwq_call_alloc(dwq_call_t *call, dwq_type_t type, int ndim,
                           const size_t *shape)
{
    dwq_array_t array = dwq_array(type, &type /* any */, ndim, shape);
    size_t size = dwq_array_size(&array);
    struct dwqi_owned *owned;
    void *memory = NULL;

    if (call && dwq_type_size(array.type) > 0 && size <= SIZE_MAX / 2) {
        memory = dwqi_pool_get(call->config->pool, DWQI_ALIGN + size);
    }
    if (!memory) {
        return (dwq_array_t){ .data = NULL };
    }
    owned = memory;
    owned->next = call->done.owned;
    owned->size = size;
    call->done.owned = owned;
    array.data = (char *)memory + DWQI_ALIGN;
    array.flags = call->mark | DWQI_ARRAY_OWNED;
    return array;
}

void *dwq_call_alloc_data(dwq_call_t *call, int type, int ndim,
                          const size_t *shape)
{
    return dwq_call_alloc(call, (dwq_type_t)type, ndim, shape).data;
}

int dwq_call_return_built(dwq_call_t *call, const dwq_builder_t *builder)
{
    const dwq_task_t *built = dwq_builder_task(builder);
    dwq_value_t *items;

    if (call && !built) {
        call->bad_return = !call->failed || call->bad_return;
    }
    if (!call || !built) {
        return dwq_call_fail(call, DWQ_E_ARG,
                             "dwq_call_return_built: a value could not be "
                             "added, or a list is open");
    }
    items = (dwq_value_t *)built->args.items; /* the builder's own memory */
    for (size_t i = 0; i < built->args.n; i++) {
        dwq_array_t *array = &items[i].u.array;

        /* A builder gets a pointer: whose memory that is shows here. */
        if (items[i].kind == DWQ_KIND_ARRAY && owns(call, array)) {
            array->flags = call->mark | DWQI_ARRAY_OWNED;
        }
    }
    return dwq_call_return(call, built->args);
}

void dwqi_owned_free(struct dwqi_owned *owned)
{
    while (owned) {
        struct dwqi_owned *next = owned->next;

        dwqi_pool_give(owned);
        owned = next;
    }
}

int dwq_call_fail(dwq_call_t *call, int code, const char *format, ...)
{
    va_list args;

    code = code == 0 ? -1 : code;
    if (!call) {
        return code;
    }
    call->failed = true;
    call->code = code;
    va_start(args, format);
    dwqi_plain_vprint(call->message, sizeof call->message,
                      format ? format : "no reason was given", args);
    va_end(args);
    return code;
}

int dwq_call_fail_text(dwq_call_t *call, int code, const char *text)
{
    return dwq_call_fail(call, code, text ? "%s" : NULL, text);
}

/* --- Stopping ------------------------------------------------------------- */

static double now(const dwq_call_t *call)
{
    return call->config->now(call->config->clock);
}

static double end_of(const dwq_call_t *call)
{
    return call->config->end > 0 ? call->config->end : INFINITY;
}

/* Of this call alone. The clock is read where there is a limit. */
static dwq_stop_t stop_of(const dwq_call_t *call)
{
    const _Atomic uint64_t *cancelled = call->config->cancelled;
    double end = end_of(call);
    uint64_t id;

    if (!isinf(end) || !isinf(call->limit)) {
        double time = now(call);

        if (time >= end) {
            return DWQ_STOP_END;
        }
        if (time >= call->limit) {
            return DWQ_STOP_LIMIT;
        }
    }
    id = cancelled ? atomic_load_explicit(cancelled, memory_order_relaxed) : 0;
    if (id == DWQI_STOP_ALL) {
        return DWQ_STOP_END;
    }
    /* A call that another executes may have the id 0. */
    return id != 0 && id == call->task->id ? DWQ_STOP_CANCEL : DWQ_STOP_NONE;
}

/* That which executes it; NULL: none. */
static const dwq_call_t *around_of(const dwq_call_t *call)
{
    const struct dwqi_executor *around = call->config->around;

    return call->outer ? call->outer
           : around    ? dwqi_executor_running(around)
                       : NULL;
}

/* A call stops with that which executes it. */
dwq_stop_t dwq_call_stop(const dwq_call_t *call)
{
    dwq_stop_t stop = DWQ_STOP_NONE;

    for (; call; call = around_of(call)) {
        dwq_stop_t one = stop_of(call);

        stop = one > stop ? one : stop;
    }
    return stop;
}

double dwq_call_time_left(const dwq_call_t *call)
{
    double end = call ? end_of(call) : INFINITY;

    for (const dwq_call_t *c = call; c; c = around_of(c)) {
        end = fmin(end, c->limit);
    }
    return isinf(end) ? INFINITY : fmax(end - now(call), 0);
}

bool dwq_call_agree(dwq_call_t *call, bool ok)
{
    const struct dwqi_executor_config *config = call ? call->config : NULL;
    bool all_ok = false;
    dwq_status_t status;

    if (!config) {
        return false;
    }
    if (!config->agree) {
        return ok; /* a group of one agrees with itself */
    }
    status = config->agree(config->agree_arg, call->task->id, ok, &all_ok);
    if (status != DWQ_OK) {
        dwqi_log_error(config->log, "dwq_call_agree: %s",
                       dwq_status_text(status));
    }
    return status == DWQ_OK && all_ok;
}
