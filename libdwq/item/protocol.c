#include "libdwq/item/protocol.h"

#include <string.h>

static const char *const tags[DWQI_TAG_COUNT] = {
#define TAG_ROW(name, value, down, body) [value] = #name,
    DWQI_TAG_LIST(TAG_ROW)
#undef TAG_ROW
};

/* FNV-1a (Fowler, Noll, Vo) over words instead of bytes. */
static uint64_t check_of(const struct dwqi_head *head)
{
    uint64_t words[sizeof *head / sizeof(uint64_t)];
    uint64_t hash = 14695981039346656037u;

    memcpy(words, head, sizeof words);
    for (size_t i = 0; i < sizeof words / sizeof words[0] - 1; i++) {
        hash = (hash ^ words[i]) * 1099511628211u;
    }
    return hash;
}

struct dwqi_head dwqi_head_make(enum dwqi_tag tag, uint32_t n_items,
                                uint64_t body_size)
{
    struct dwqi_head head = { .magic = DWQI_MAGIC,
                              .version = DWQI_PROTOCOL_VERSION,
                              .tag = (uint16_t)tag,
                              .n_items = n_items,
                              .body_size = body_size };

    head.check = check_of(&head);
    return head;
}

static const char *head_fault(const struct dwqi_head *head, size_t size,
                              size_t max_inline)
{
    if (head->magic != DWQI_MAGIC) {
        return "not a message of libdwq";
    }
    if (head->version != DWQI_PROTOCOL_VERSION) {
        return "another version of the protocol";
    }
    if (head->check != check_of(head)) {
        return "a head that was changed on its way";
    }
    if (head->tag >= DWQI_TAG_COUNT) {
        return "an unknown tag";
    }
    if (head->body_size % 64 != 0 || head->body_size > SIZE_MAX / 2) {
        return "an impossible body size";
    }
    if (head->body_size <= max_inline ? size != sizeof *head + head->body_size
                                      : size != sizeof *head) {
        return "a body of another size than its head says";
    }
    return NULL;
}

dwq_status_t dwqi_head_read(const void *frame, size_t size, size_t max_inline,
                            struct dwqi_head *head_out, const char **why_out)
{
    struct dwqi_head head;

    if (size < sizeof head) {
        *why_out = "shorter than a head";
        return DWQ_E_MESSAGE;
    }
    memcpy(&head, frame, sizeof head);
    *why_out = head_fault(&head, size, max_inline);
    if (*why_out) {
        return DWQ_E_MESSAGE;
    }
    *head_out = head;
    return DWQ_OK;
}

const char *dwqi_tag_name(enum dwqi_tag tag)
{
    return (unsigned)tag < DWQI_TAG_COUNT ? tags[tag] : "?";
}
