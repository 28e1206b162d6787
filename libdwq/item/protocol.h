/* What the controller and its workers say to each other.
 *
 *     controller                         worker
 *         |<------------- READY ------------|  it serves; data for the controller
 *         |-------------- TASK ------------>|  1..n calls
 *         |                                 |  runs them in order
 *         |<------------- DONE -------------|  results: with the last of what it
 *         |                                 |  holds a worker is ready again
 *         |------------- RECALL ----------->|  another worker is idle
 *         |<------------ RETURN ------------|  what it had not started
 *         |-------------- EXIT ------------>|  finish what you hold
 *         |<-------------- BYE -------------|  nothing follows
 *
 * A broker is such a worker for the controller, and the ranks of its group hear
 * READY, DONE, TASK, EXIT, WITHDRAW and RENEW from it (group/team.h). Between the ranks of a
 * group, during a call, the first rank being the one that counts:
 *
 *     first rank                         other rank
 *         |<------------- AGREE ------------|  dwq_call_agree(); or, when asked,
 *         |                                 |  "no" of one that left the function
 *         |--------------- ASK ------------>|  to those not heard of
 *         |------------- VERDICT ---------->|
 *
 * Between groups, over their brokers, before MPI's accept and connect (the whole
 * exchange is in group/service.h):
 *
 *     client's rank 0, its broker        server's broker
 *         |------------- SERVICE ---------->|  a request
 *         |<------------ SERVICE -----------|  an offer
 *         |------------- SERVICE ---------->|  taken, or given up
 *
 * WITHDRAW instead of (or after) READY: this worker takes no more tasks, and
 * still waits for EXIT; if that came before, BYE follows at once. Between two ranks
 * messages keep their order. A message is a head, and a body of n_items items, each
 * 64-byte aligned. */
#ifndef DWQI_ITEM_PROTOCOL_H
#define DWQI_ITEM_PROTOCOL_H

#include <dwq/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(name, value, from the controller?, body) */
#define DWQI_TAG_LIST(X)                                         \
    X(READY, 0, false, "0 or 1 values item: the ready data")     \
    X(DONE, 1, false, "results: n_items parts")                  \
    X(TASK, 2, true, "n_items tasks")                            \
    X(EXIT, 3, true, "nothing")                                  \
    X(RECALL, 4, true, "nothing")                                \
    X(RETURN, 5, false, "n_items ids (u64)")                     \
    X(WITHDRAW, 6, false, "the reason: text with a closing NUL") \
    X(BYE, 7, false, "nothing")                                  \
    X(AGREE, 8, false, "one agreement: this rank's word")        \
    X(VERDICT, 9, true, "one agreement: the word of all")        \
    X(ASK, 10, true, "one agreement: what is your word?")        \
    X(SERVICE, 11, true, "one word of the service, either way")  \
    X(RENEW, 12, true, "nothing")

enum dwqi_tag {
#define DWQI_TAG_ENUM(name, value, down, body) DWQI_##name = value,
    DWQI_TAG_LIST(DWQI_TAG_ENUM)
#undef DWQI_TAG_ENUM
    DWQI_TAG_COUNT
};

#define DWQI_MAGIC 0x31515744u /* "DWQ1" */
#define DWQI_PROTOCOL_VERSION 2

/* Seconds: a task or a result may wait for the next one, to travel with it, only
 * where that call is expected to take less. */
#define DWQI_SHORT_CALL 1e-5

struct dwqi_head {
    uint32_t magic;
    uint16_t version;
    uint16_t tag;
    uint32_t n_items;
    uint32_t unused;
    uint64_t body_size; /* bytes, a multiple of 64 */
    uint64_t reserved[4];
    uint64_t check; /* of all before it: no head is taken for another */
};
_Static_assert(sizeof(struct dwqi_head) == 64, "wire struct");

struct dwqi_head dwqi_head_make(enum dwqi_tag tag, uint32_t n_items,
                                uint64_t body_size);

/**
 * Read and check the head of a frame of `size` bytes.
 *
 * @param max_inline  A body of up to this many bytes follows the head in the
 *                    frame, exactly; a larger one comes on its own.
 *
 * @return DWQ_OK, DWQ_E_MESSAGE (and *why_out is a constant text)
 */
dwq_status_t dwqi_head_read(const void *frame, size_t size, size_t max_inline,
                            struct dwqi_head *head_out, const char **why_out);

const char *dwqi_tag_name(enum dwqi_tag tag);

#endif
