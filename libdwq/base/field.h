/* Members of a public struct by their names: for callers that do not know its layout. */
#ifndef DWQI_BASE_FIELD_H
#define DWQI_BASE_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dwqi_field_kind {
    DWQI_FIELD_INT, /* enumerations, too */
    DWQI_FIELD_BOOL,
    DWQI_FIELD_UINT64,
    DWQI_FIELD_DOUBLE,
    DWQI_FIELD_STRING, /* const char * */
};

struct dwqi_field {
    const char *name;
    enum dwqi_field_kind kind;
    size_t offset;
};

/* A table of these ends with name NULL. */
#define DWQI_FIELD(type, member, kind)        \
    {                                         \
#member, kind, offsetof(type, member) \
    }

/* The named member of `object`, where its kind is this one. An integer is an INT, BOOL or
 * UINT64; false, and nothing is changed: no such name, or the value does not fit. */
bool dwqi_field_set_int(const struct dwqi_field *fields, void *object,
                        const char *name, int64_t value);
bool dwqi_field_get_int(const struct dwqi_field *fields, const void *object,
                        const char *name, int64_t *out);
/* A DOUBLE or STRING member: where it is, or NULL. */
void *dwqi_field_at(const struct dwqi_field *fields, void *object,
                    const char *name, enum dwqi_field_kind kind);

#endif
