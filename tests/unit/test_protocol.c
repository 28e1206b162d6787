/* Heads of messages: each field, broken alone, is refused with a reason. */
#include <criterion/criterion.h>
#include <string.h>

#include "libdwq/item/protocol.h"

#define INLINE_MAX 1024

struct frame {
    struct dwqi_head head;
    unsigned char body[2 * INLINE_MAX];
};

/* As dwqi_head_make() does, for heads that it would not make. Not taken from
 * protocol.c: what goes over the wire is pinned here. */
static uint64_t check_of(const struct dwqi_head *head)
{
    uint64_t words[7];
    uint64_t hash = 0xcbf29ce484222325u;

    memcpy(words, head, sizeof words);
    for (int i = 0; i < 7; i++) {
        hash = (hash ^ words[i]) * 0x100000001b3u;
    }
    return hash;
}

static struct frame frame_of(uint64_t body_size)
{
    struct frame frame = { .head = dwqi_head_make(DWQI_TASK, 3, body_size) };

    return frame;
}

static void takes(const struct frame *frame, size_t size)
{
    struct dwqi_head head;
    const char *why = NULL;

    memset(&head, 0x5a, sizeof head);
    cr_assert_eq(dwqi_head_read(frame, size, INLINE_MAX, &head, &why), DWQ_OK,
                 "%s", why);
    cr_assert_eq(memcmp(&head, &frame->head, sizeof head), 0);
}

/* `about`: a word of the reason. */
static void refuses(const struct frame *frame, size_t size, const char *about)
{
    struct dwqi_head head, before;
    const char *why = NULL;

    memset(&head, 0x5a, sizeof head);
    before = head;
    cr_assert_eq(dwqi_head_read(frame, size, INLINE_MAX, &head, &why),
                 DWQ_E_MESSAGE);
    cr_assert_not_null(why);
    cr_assert_not_null(strstr(why, about), "'%s' is not about '%s'", why,
                       about);
    cr_assert_eq(memcmp(&head, &before, sizeof head), 0, "wrote on failure");
}

Test(protocol, head_survives_with_every_tag)
{
    for (int tag = 0; tag < DWQI_TAG_COUNT; tag++) {
        struct frame frame = { .head =
                                   dwqi_head_make((enum dwqi_tag)tag, 7, 128) };

        cr_assert_eq(frame.head.tag, tag);
        cr_assert_eq(frame.head.n_items, 7);
        cr_assert_eq(frame.head.body_size, 128);
        cr_assert_eq(frame.head.check, check_of(&frame.head));
        takes(&frame, 64 + 128);
    }
}

Test(protocol, largest_counts_survive)
{
    struct frame frame = { .head = dwqi_head_make(DWQI_DONE, UINT32_MAX,
                                                  (uint64_t)1 << 40) };

    takes(&frame, 64);
}

Test(protocol, frame_shorter_than_a_head_is_refused_at_every_length)
{
    struct frame frame = frame_of(0);

    for (size_t size = 0; size < 64; size++) {
        refuses(&frame, size, "shorter");
    }
    takes(&frame, 64);
}

Test(protocol, another_magic_is_refused)
{
    struct frame frame = frame_of(0);

    frame.head.magic ^= 1;
    frame.head.check = check_of(&frame.head);
    refuses(&frame, 64, "libdwq");
}

Test(protocol, another_version_is_refused_and_named_before_the_check)
{
    struct frame frame = frame_of(0);

    frame.head.version++;
    refuses(&frame, 64, "version");
    frame.head.check = check_of(&frame.head);
    refuses(&frame, 64, "version");
}

Test(protocol, unknown_tag_is_refused)
{
    struct frame frame = frame_of(0);

    for (int tag = DWQI_TAG_COUNT; tag <= UINT16_MAX; tag += 37) {
        frame.head.tag = (uint16_t)tag;
        frame.head.check = check_of(&frame.head);
        refuses(&frame, 64, "tag");
    }
}

Test(protocol, body_size_that_is_no_multiple_of_64_is_refused)
{
    for (uint64_t size = 1; size < 64; size++) {
        struct frame frame = frame_of(size);

        refuses(&frame, 64 + size, "impossible");
    }
}

Test(protocol, body_size_above_memory_is_refused)
{
    struct frame frame = frame_of(UINT64_MAX - 63);

    refuses(&frame, 64, "impossible");
    frame = frame_of((uint64_t)SIZE_MAX / 2 + 1);
    refuses(&frame, 64, "impossible");
}

Test(protocol, small_body_has_to_be_in_the_frame_and_a_large_one_not)
{
    static const struct {
        uint64_t body;
        size_t frame;
        bool fits;
    } rows[] = {
        { 0, 64, true },
        { 0, 65, false },
        { 0, 128, false },
        { 64, 64, false },
        { 64, 127, false },
        { 64, 128, true },
        { 64, 129, false },
        { INLINE_MAX, 64 + INLINE_MAX, true },
        { INLINE_MAX, 64, false },
        { INLINE_MAX + 64, 64, true },
        { INLINE_MAX + 64, 64 + INLINE_MAX + 64, false },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct frame frame = frame_of(rows[i].body);

        if (rows[i].fits) {
            takes(&frame, rows[i].frame);
        } else {
            refuses(&frame, rows[i].frame, "size");
        }
    }
}

/* No head is taken for another: the check covers all fields. */
Test(protocol, any_changed_bit_is_refused)
{
    struct frame good = frame_of(64);

    takes(&good, 128);
    for (size_t bit = 0; bit < 8 * sizeof good.head; bit++) {
        struct frame frame = good;
        unsigned char *bytes = (unsigned char *)&frame.head;

        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        refuses(&frame, 128, "");
    }
}

Test(protocol, tags_keep_their_values_names_and_directions)
{
    static const struct {
        int tag, value;
        const char *name;
    } rows[] = {
        { DWQI_READY, 0, "READY" },       { DWQI_DONE, 1, "DONE" },
        { DWQI_TASK, 2, "TASK" },         { DWQI_EXIT, 3, "EXIT" },
        { DWQI_RECALL, 4, "RECALL" },     { DWQI_RETURN, 5, "RETURN" },
        { DWQI_WITHDRAW, 6, "WITHDRAW" }, { DWQI_BYE, 7, "BYE" },
        { DWQI_AGREE, 8, "AGREE" },       { DWQI_VERDICT, 9, "VERDICT" },
        { DWQI_ASK, 10, "ASK" },          { DWQI_SERVICE, 11, "SERVICE" },
        { DWQI_RENEW, 12, "RENEW" },
    };

    cr_assert_eq(sizeof rows / sizeof rows[0], DWQI_TAG_COUNT);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum dwqi_tag tag = (enum dwqi_tag)rows[i].tag;

        cr_assert_eq((int)tag, rows[i].value);
        cr_assert_str_eq(dwqi_tag_name(tag), rows[i].name);
    }
    cr_assert_str_eq(dwqi_tag_name(DWQI_TAG_COUNT), "?");
    cr_assert_str_eq(dwqi_tag_name((enum dwqi_tag) - 1), "?");
}
