#define _DEFAULT_SOURCE
#include "topology/discover.h"

#include <errno.h>
#include <hwloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libdwq/base/plain.h"
#include "topology/text.h"

static dwq_status_t fail(struct dwqi_error *fault, dwq_status_t status,
                         const char *text, const char *why)
{
    return dwqi_error_set(fault, status, "'%.*s': %s",
                          dwqi_plain_fit(text, 120), text, why);
}

/* The nearest NUMA node: the one with the fewest cores around it. Memory of
 * another kind at the same place comes later in hwloc's order. */
static int numa_of(hwloc_topology_t topology, hwloc_obj_t core)
{
    hwloc_obj_t node = NULL;
    int best = 0, best_weight = -1;

    while ((node = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE,
                                              node)) != NULL) {
        int weight = hwloc_bitmap_weight(node->cpuset);

        if (hwloc_bitmap_isincluded(core->cpuset, node->cpuset) &&
            (best_weight < 0 || weight < best_weight)) {
            best = (int)node->logical_index;
            best_weight = weight;
        }
    }
    return best;
}

static int parent_of(hwloc_topology_t topology, hwloc_obj_t core,
                     hwloc_obj_type_t type, int none)
{
    hwloc_obj_t parent = hwloc_get_ancestor_obj_by_type(topology, type, core);

    return parent ? (int)parent->logical_index : none;
}

static dwq_status_t add_core(hwloc_topology_t topology, hwloc_obj_t object,
                             struct dwqi_machine *out)
{
    hwloc_const_bitmap_t allowed = hwloc_topology_get_allowed_cpuset(topology);
    struct dwqi_core core = {
        .number = (int)object->logical_index,
        .package = parent_of(topology, object, HWLOC_OBJ_PACKAGE, 0),
        .numa = numa_of(topology, object),
        .l3 = parent_of(topology, object, HWLOC_OBJ_L3CACHE, -1),
    };
    int weight = hwloc_bitmap_weight(object->cpuset), pu;
    int *pus = weight > 0 ? malloc((size_t)weight * sizeof *pus) : NULL;
    dwq_status_t status = DWQ_OK;

    if (!pus) {
        return weight > 0 ? DWQ_E_NOMEM : DWQ_OK;
    }
    for (pu = hwloc_bitmap_first(object->cpuset); pu >= 0;
         pu = hwloc_bitmap_next(object->cpuset, pu)) {
        if (hwloc_bitmap_isset(allowed, (unsigned)pu)) {
            pus[core.n_pus++] = pu;
        }
    }
    if (core.n_pus > 0) {
        status = dwqi_machine_add(out, &core, pus);
    }
    free(pus);
    return status;
}

/* All cores of the machine are there, so that they have the same numbers for
 * every process; those that the cgroup forbids are left out here. */
static dwq_status_t read_machine(hwloc_topology_t topology,
                                 struct dwqi_machine *out)
{
    struct dwqi_machine machine = { .cores = NULL };
    hwloc_obj_type_t type =
        hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_CORE) > 0 ? HWLOC_OBJ_CORE
                                                               : HWLOC_OBJ_PU;
    dwq_status_t status = DWQ_OK;
    hwloc_obj_t object = NULL;

    while (status == DWQ_OK && (object = hwloc_get_next_obj_by_type(
                                    topology, type, object)) != NULL) {
        status = add_core(topology, object, &machine);
    }
    if (status == DWQ_OK && machine.n_cores == 0) {
        status = DWQ_E_STATE;
    }
    if (status != DWQ_OK) {
        dwqi_machine_finish(&machine);
        return status;
    }
    *out = machine;
    return DWQ_OK;
}

static dwq_status_t load(hwloc_topology_t topology, const char *text,
                         struct dwqi_machine *out, struct dwqi_error *fault)
{
    dwq_status_t status;

    hwloc_topology_set_flags(topology, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
    if (hwloc_topology_load(topology) != 0) {
        return fail(fault, DWQ_E_STATE, text, "hwloc could not load it");
    }
    status = read_machine(topology, out);
    if (status == DWQ_E_STATE || status == DWQ_E_ARG) {
        return fail(fault, DWQ_E_STATE, text,
                    status == DWQ_E_ARG ? "more cores or threads than can be"
                                        : "no core that may be used");
    }
    return status;
}

/* "%h" and "%%". NULL: another letter behind '%', or out of memory. */
static char *expand(const char *text, const char *host, dwq_status_t *status)
{
    struct dwqi_buffer out = { .data = NULL };
    char *result;

    *status = DWQ_OK;
    for (; *text != '\0'; text++) {
        if (*text != '%') {
            dwqi_buffer_append(&out, text, 1);
        } else if (text[1] == 'h' || text[1] == '%') {
            text++;
            dwqi_text_add(&out, "%s", *text == 'h' ? host : "%");
        } else {
            dwqi_buffer_finish(&out);
            *status = DWQ_E_OPTION;
            return NULL;
        }
    }
    result = dwqi_text_take(&out);
    *status = result ? DWQ_OK : DWQ_E_NOMEM;
    return result;
}

static bool is_file_name(const char *text)
{
    size_t size = strlen(text);

    return strchr(text, '/') ||
           (size > 4 && strcmp(text + size - 4, ".xml") == 0);
}

static const char *behind(const char *text, char stop)
{
    const char *found = strchr(text, stop);

    return found ? found + 1 : NULL;
}

/* Hardware threads of a synthetic string, at most `limit` + 1: its counts, read as
 * hwloc reads them ("type:" may be missing, 0x10 is 16, a blank need not follow).
 * hwloc's time grows with the third power of that, and its memory with the second. */
static long count_threads(const char *text, long limit)
{
    long n = 1;

    while (text && n <= limit) {
        text += strspn(text, " \n");
        if (*text == '(' || *text == '[') { /* attributes; memory */
            text = behind(text, *text == '(' ? ')' : ']');
            continue;
        }
        if (*text < '0' || *text > '9') {
            text = behind(text, ':');
        }
        if (text) {
            char *end;
            unsigned long count = strtoul(text, &end, 0);

            n = count > (unsigned long)(limit / n)
                    ? limit + 1
                    : n * (count > 0 ? (long)count : 1);
            text = end > text ? end : NULL;
        }
    }
    return n;
}

/* hwloc wants each core's threads to be named. */
static dwq_status_t set_synthetic(hwloc_topology_t topology, const char *text,
                                  struct dwqi_error *fault)
{
    char whole[1024];

    if (count_threads(text, DWQI_SYNTHETIC_LIMIT) > DWQI_SYNTHETIC_LIMIT) {
        return fail(fault, DWQ_E_OPTION, text,
                    "more than 4096 hardware threads on a host");
    }
    snprintf(whole, sizeof whole, "%s pu:1", text);
    return hwloc_topology_set_synthetic(topology, text) == 0 ||
                   (strstr(text, "core") &&
                    hwloc_topology_set_synthetic(topology, whole) == 0)
               ? DWQ_OK
               : fail(fault, DWQ_E_OPTION, text, DWQI_SYNTHETIC_FAULT);
}

static dwq_status_t set_source(hwloc_topology_t topology, const char *text,
                               struct dwqi_error *fault)
{
    if (!is_file_name(text)) {
        return set_synthetic(topology, text, fault);
    }
    if (access(text, R_OK) != 0) {
        return fail(fault, DWQ_E_OPTION, text, dwqi_plain_error(errno));
    }
    return hwloc_topology_set_xml(topology, text) == 0
               ? DWQ_OK
               : fail(fault, DWQ_E_OPTION, text,
                      "not a topology that hwloc wrote as XML");
}

/* text NULL: this machine. */
static dwq_status_t discover(const char *text, struct dwqi_machine *out,
                             bool *this_system_out, struct dwqi_error *fault)
{
    hwloc_topology_t topology;
    dwq_status_t status = DWQ_OK;

    if (hwloc_topology_init(&topology) != 0) {
        return DWQ_E_NOMEM;
    }
    if (text) {
        status = set_source(topology, text, fault);
    }
    if (status == DWQ_OK) {
        status = load(topology, text ? text : "this machine", out, fault);
        if (text && status == DWQ_E_STATE) {
            status = DWQ_E_OPTION;
        }
    }
    if (status == DWQ_OK) {
        *this_system_out = hwloc_topology_is_thissystem(topology) != 0;
    }
    hwloc_topology_destroy(topology);
    return status;
}

/* The file of a host may be named without its domain. */
static char *expand_or_short(const char *text, const char *host,
                             dwq_status_t *status)
{
    char *expanded = expand(text, host, status), *other;
    char name[DWQI_HOST_NAME_LIMIT];

    if (!expanded || !strchr(host, '.') || !is_file_name(expanded) ||
        access(expanded, R_OK) == 0) {
        return expanded;
    }
    snprintf(name, sizeof name, "%.*s", (int)strcspn(host, "."), host);
    other = expand(text, name, status);
    if (other && access(other, R_OK) != 0) {
        free(other);
        return expanded;
    }
    free(expanded);
    return other;
}

static dwq_status_t discover_text(const char *text, const char *host,
                                  struct dwqi_machine *out,
                                  bool *this_system_out,
                                  struct dwqi_error *fault)
{
    dwq_status_t status;
    char *expanded = expand_or_short(text, host, &status);

    if (!expanded) {
        return status == DWQ_E_OPTION
                   ? fail(fault, status, text, "only %h and %% may follow '%'")
                   : status;
    }
    status = discover(expanded, out, this_system_out, fault);
    free(expanded);
    return status;
}

dwq_status_t dwqi_discover_text(const char *text, const char *host,
                                struct dwqi_machine *out,
                                struct dwqi_error *fault_out)
{
    bool this_system;

    return discover_text(text, host, out, &this_system, fault_out);
}

dwq_status_t dwqi_discover(const char *host, struct dwqi_machine *out,
                           bool *this_system_out, struct dwqi_error *fault_out)
{
    const char *text = getenv(DWQI_TOPOLOGY_ENV);
    struct dwqi_error fault;
    dwq_status_t status;

    if (!text || *text == '\0') {
        return discover(NULL, out, this_system_out, fault_out);
    }
    status = discover_text(text, host, out, this_system_out, &fault);
    if (status == DWQ_E_OPTION || status == DWQ_E_STATE) {
        dwqi_plain_format(fault_out->text, sizeof fault_out->text, "%s: %s",
                          DWQI_TOPOLOGY_ENV, fault.text);
    }
    return status;
}
