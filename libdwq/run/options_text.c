/* What has to be the same on all ranks, as text, and how two texts differ. */
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/plain.h"
#include "libdwq/item/codec.h"
#include "libdwq/run/options_private.h"

static void append_text(struct dwqi_buffer *text, const char *string)
{
    dwqi_buffer_append(text, string, strlen(string));
}

/* A string in one line, and so that no two strings or lists look the same. */
static void append_string(struct dwqi_buffer *text, const char *string)
{
    append_text(text, string ? "\"" : "(not set)");
    for (; string && *string; string++) {
        if (*string == '\n') {
            append_text(text, "\\n");
        } else {
            if (*string == '"' || *string == '\\') {
                append_text(text, "\\");
            }
            dwqi_buffer_append(text, string, 1);
        }
    }
    append_text(text, string ? "\"" : "");
}

static void append_row(struct dwqi_buffer *text, const dwq_options_t *o,
                       const struct dwqi_option_row *row)
{
    char value[40];

    append_text(text, row->name);
    append_text(text, "=");
    if (row->kind == KIND_STRING) {
        append_string(text, *(const char *const *)dwqi_option_at(o, row));
    } else if (row->kind == KIND_STRINGS) {
        const char *const *list =
            *(const char *const *const *)dwqi_option_at(o, row);

        append_text(text, list ? "" : "(not set)");
        for (; list && *list; list++) {
            append_string(text, *list);
        }
    } else if (row->names) { /* its range was checked */
        append_text(text, row->names[(int)dwqi_option_number(o, row)]);
    } else {
        dwqi_plain_format(value, sizeof value, "%.17g",
                          dwqi_option_number(o, row));
        append_text(text, value);
    }
}

/* FNV-1a, 64 bits (Fowler, Noll, Vo). */
static uint64_t fingerprint(const unsigned char *data, size_t size)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ data[i]) * 1099511628211u;
    }
    return hash;
}

#define MOST_OF_RUN_ARGS 4096 /* bytes of their text; the fingerprint has all */

/* As people read them, in one line; arrays are type and shape there. */
static void append_values(struct dwqi_buffer *text, dwq_kwargs_t values)
{
    dwq_value_t map = dwq_value_map(values);
    char *printed = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&printed, &size);

    if (stream) {
        dwq_value_print(&map, stream);
    }
    if (!stream || fclose(stream) != 0 || !printed) {
        text->failed = true;
    } else {
        dwqi_buffer_append(text, printed,
                           size < MOST_OF_RUN_ARGS ? size : MOST_OF_RUN_ARGS);
    }
    free(printed);
}

static dwq_status_t append_run_args(struct dwqi_buffer *text,
                                    const dwq_options_t *o,
                                    struct dwqi_error *fault)
{
    struct dwqi_scratch scratch = { .pool = NULL };
    struct dwqi_pack pack;
    char value[80];
    const char *why = "";
    dwq_status_t status = dwqi_values_pack((dwq_values_t){ 0, NULL },
                                           o->run_args, &scratch, &pack, &why);

    dwqi_scratch_finish(&scratch);
    if (status != DWQ_OK) {
        return status == DWQ_E_NOMEM
                   ? status
                   : dwqi_error_set(fault, DWQ_E_OPTION, "option run_args: %s",
                                    why);
    }
    append_text(text, "run_args=");
    append_values(text, o->run_args);
    snprintf(value, sizeof value, " (fingerprint %016llx)\n",
             (unsigned long long)fingerprint(pack.block, pack.block_size));
    append_text(text, value);
    dwqi_pack_finish(&pack);
    return DWQ_OK;
}

dwq_status_t dwqi_options_text(const dwq_options_t *resolved,
                               struct dwqi_buffer *text,
                               struct dwqi_error *fault_out)
{
    dwq_status_t status;

    append_text(text, DWQI_CONTROLLER_RANK_ENV "=");
    append_string(text, getenv(DWQI_CONTROLLER_RANK_ENV));
    append_text(text, "\n");
    for (size_t i = 0; i < dwqi_n_option_rows; i++) {
        append_row(text, resolved, &dwqi_option_rows[i]);
        append_text(text, "\n");
    }
    status = append_run_args(text, resolved, fault_out);
    dwqi_buffer_append(text, "", 1);
    return status == DWQ_OK && text->failed ? DWQ_E_NOMEM : status;
}

void dwqi_options_list(const dwq_options_t *resolved, struct dwqi_buffer *text)
{
    for (size_t i = 0; i < dwqi_n_option_rows; i++) {
        if (dwqi_option_is_set(resolved, &dwqi_option_rows[i])) {
            append_row(text, resolved, &dwqi_option_rows[i]);
            append_text(text, ", ");
        }
    }
    append_text(text, "run_args=");
    append_values(text, resolved->run_args);
    dwqi_buffer_append(text, "", 1);
}

/* Bytes of a value that a fault has room to show. */
static int shown(const char *value)
{
    size_t length = strcspn(value, "\n");

    return dwqi_plain_fit(value, length < 70 ? length : 70);
}

void dwqi_options_difference(const char *mine, const char *theirs, int my_rank,
                             int their_rank, struct dwqi_error *fault_out)
{
    size_t at = 0, line, from;
    int name;

    while (mine[at] != '\0' && mine[at] == theirs[at]) {
        at++;
    }
    line = at;
    while (line > 0 && mine[line - 1] != '\n') {
        line--;
    }
    name = (int)strcspn(mine + line, "=");
    from = line + (size_t)name + 1;
    /* Of long values, what they differ in. */
    from = at > from + 40 ? at - 20 : from;
    while (((unsigned char)mine[from] & 0xc0) == 0x80) {
        from--; /* to the beginning of a character */
    }
    dwqi_error_set(
        fault_out, DWQ_E_OPTION,
        "option %.*s differs between ranks: rank %d has %s%.*s, rank %d has "
        "%s%.*s",
        name, mine + line, their_rank, mine[from - 1] == '=' ? "" : "...",
        shown(theirs + from), theirs + from, my_rank,
        mine[from - 1] == '=' ? "" : "...", shown(mine + from), mine + from);
}
