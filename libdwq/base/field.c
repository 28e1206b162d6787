#include "libdwq/base/field.h"

#include <limits.h>
#include <string.h>

static const struct dwqi_field *find(const struct dwqi_field *fields,
                                     const char *name)
{
    while (name && fields->name && strcmp(fields->name, name) != 0) {
        fields++;
    }
    return name && fields->name ? fields : NULL;
}

bool dwqi_field_set_int(const struct dwqi_field *fields, void *object,
                        const char *name, int64_t value)
{
    const struct dwqi_field *field = find(fields, name);
    void *at = field ? (char *)object + field->offset : NULL;

    if (!field) {
        return false;
    }
    switch (field->kind) {
    case DWQI_FIELD_INT:
        if (value < INT_MIN || value > INT_MAX) {
            return false;
        }
        *(int *)at = (int)value;
        return true;
    case DWQI_FIELD_BOOL:
        if (value != 0 && value != 1) {
            return false;
        }
        *(bool *)at = value == 1;
        return true;
    case DWQI_FIELD_UINT64:
        *(uint64_t *)at = (uint64_t)value;
        return true;
    default:
        return false;
    }
}

bool dwqi_field_get_int(const struct dwqi_field *fields, const void *object,
                        const char *name, int64_t *out)
{
    const struct dwqi_field *field = find(fields, name);
    const void *at = field ? (const char *)object + field->offset : NULL;

    if (!field) {
        return false;
    }
    switch (field->kind) {
    case DWQI_FIELD_INT:
        *out = *(const int *)at;
        return true;
    case DWQI_FIELD_BOOL:
        *out = *(const bool *)at;
        return true;
    case DWQI_FIELD_UINT64:
        *out = (int64_t) * (const uint64_t *)at;
        return true;
    default:
        return false;
    }
}

void *dwqi_field_at(const struct dwqi_field *fields, void *object,
                    const char *name, enum dwqi_field_kind kind)
{
    const struct dwqi_field *field = find(fields, name);

    return field && field->kind == kind ? (char *)object + field->offset : NULL;
}
