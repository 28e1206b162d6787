/* Values looked at part by part, by callers that cannot look into them. */
#include <dwq/flat.h>

int dwq_value_kind(const dwq_value_t *value)
{
    return value ? (int)value->kind : DWQ_KIND_NIL;
}

bool dwq_value_data(const dwq_value_t *value, int *type_out, int *ndim_out,
                    size_t *shape_out, const void **data_out)
{
    dwq_array_t array = { .data = NULL };
    dwq_bytes_t bytes;

    if (!type_out || !ndim_out || !shape_out || !data_out) {
        return false;
    }
    if (dwq_read_bytes(value, &bytes)) {
        array.type = DWQ_UINT8;
        array.ndim = 1;
        array.shape[0] = bytes.size;
        *data_out = bytes.data;
    } else if (dwq_read_array(value, &array)) {
        *data_out = array.data;
    } else {
        return false;
    }
    *type_out = (int)array.type;
    *ndim_out = array.ndim;
    for (int i = 0; i < array.ndim; i++) {
        shape_out[i] = array.shape[i];
    }
    return true;
}

size_t dwq_value_n(const dwq_value_t *value)
{
    switch (dwq_value_kind(value)) {
    case DWQ_KIND_LIST:
        return value->u.list.n;
    case DWQ_KIND_MAP:
        return value->u.map.n;
    default:
        return 0;
    }
}

const dwq_value_t *dwq_value_item(const dwq_value_t *value, size_t index)
{
    if (index >= dwq_value_n(value)) {
        return NULL;
    }
    return value->kind == DWQ_KIND_MAP ? &value->u.map.items[index].value
                                       : &value->u.list.items[index];
}

const char *dwq_value_name(const dwq_value_t *value, size_t index)
{
    return index < dwq_value_n(value) && value->kind == DWQ_KIND_MAP
               ? value->u.map.items[index].name
               : NULL;
}

const dwq_value_t *dwq_value_entry(const dwq_value_t *value, const char *name)
{
    return dwq_value_kind(value) == DWQ_KIND_MAP
               ? dwq_map_find(value->u.map, name)
               : NULL;
}
