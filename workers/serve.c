#include "workers/serve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "libdwq/base/plain.h"
#include "workers/desk.h"
#include "workers/fsm.h"
#include "workers/last_call.h"
#include "workers/ready_pack.h"
#include "workers/results.h"

/* The body of a TASK message, until its last item has run. */
struct batch {
    struct dwqi_message message;
    size_t at;       /* bytes: where the next item starts */
    uint32_t n_left; /* items that were not started */
    bool is_letter;  /* its body is the desk's */
    struct batch *next, *prev;
};

struct server {
    struct dwqi_role role;
    struct dwqi_server_config config;
    enum dwqi_worker_state state;
    struct batch *batches; /* what it holds, oldest first */
    struct dwqi_worker_desk desk;
    struct dwqi_results results;
    bool running; /* an item of the first batch */
    struct dwqi_last_call last;
    struct dwqi_pack ready_data;
    bool ready_data_changed;
};

static struct server *of(struct dwqi_role *role)
{
    return (struct server *)(void *)role;
}

static void drop_batch(struct server *server, struct batch *batch)
{
    DL_DELETE(server->batches, batch);
    if (batch->is_letter) {
        dwqi_worker_desk_clear(&server->desk);
    } else {
        dwqi_release(server->config.transport, &batch->message);
    }
    free(batch);
}

/* All that was not started. */
static void drop_unstarted(struct server *server)
{
    struct batch *batch, *next;

    DL_FOREACH_SAFE(server->batches, batch, next)
    {
        if (server->running && batch == server->batches) {
            batch->n_left = 0;
        } else {
            drop_batch(server, batch);
        }
    }
}

static void finish(struct dwqi_role *role)
{
    struct server *server = of(role);

    server->running = false;
    drop_unstarted(server);
    dwqi_results_finish(&server->results);
    dwqi_pack_finish(&server->ready_data);
    free(server);
}

static dwq_status_t send_to_controller(struct server *server,
                                       const struct dwqi_outgoing *message)
{
    return dwqi_send(server->config.transport, server->config.controller,
                     message);
}

static dwq_status_t set_ready_data(struct dwqi_role *role, dwq_value_t data)
{
    struct server *server = of(role);
    dwq_status_t status =
        dwqi_ready_pack_set(&server->ready_data, data, server->config.log);

    if (status != DWQ_OK) {
        return status;
    }
    server->ready_data_changed = true;
    return DWQ_OK;
}

static dwq_status_t report_ready(struct server *server)
{
    struct dwqi_extent part = { server->ready_data.block,
                                server->ready_data.block_size };
    bool has_data = server->ready_data.block != NULL;
    dwq_status_t status;

    dwqi_worker_desk_find(&server->desk);
    server->results.desk = server->desk.shared;
    status = send_to_controller(server,
                                &(struct dwqi_outgoing){ .tag = DWQI_READY,
                                                         .n_items = has_data,
                                                         .parts = &part,
                                                         .n_parts = has_data });
    server->ready_data_changed = false;
    /* The block may be replaced by the user at any time. */
    return status == DWQ_OK ? dwqi_flush(server->config.transport) : status;
}

/* --- Giving back -------------------------------------------------------- */

/* The ids of all that is held unstarted, and this worker's: *n_out. The number of those
 * that were seen: fewer than there are when the head of a task cannot be read. */
static size_t held_ids(struct server *server, uint64_t *ids, size_t *n_out)
{
    size_t n_seen = 0;

    *n_out = 0;
    for (const struct batch *b = server->batches; b; b = b->next) {
        size_t at = b->at;

        for (uint32_t i = 0; i < b->n_left; i++, n_seen++) {
            struct dwqi_task_head head;

            if (dwqi_task_head_read(b->message.body + at,
                                    b->message.body_size - at,
                                    &head) != DWQ_OK) {
                return n_seen;
            }
            if (dwqi_worker_desk_claim(&server->desk)) {
                ids[(*n_out)++] = head.id;
            }
            at += head.size;
        }
    }
    return n_seen;
}

static dwq_status_t refuse(struct server *server, const char *what);

static dwq_status_t give_back(struct server *server)
{
    size_t n_held = 0, n_seen, n;
    uint64_t *ids;
    struct dwqi_extent part;
    dwq_status_t status;

    for (const struct batch *b = server->batches; b; b = b->next) {
        n_held += b->n_left;
    }
    ids = malloc((n_held + 1) * sizeof *ids);
    if (!ids) {
        return DWQ_E_NOMEM;
    }
    n_seen = held_ids(server, ids, &n);
    drop_unstarted(server);
    part = (struct dwqi_extent){ ids, n * sizeof *ids };
    status = send_to_controller(server,
                                &(struct dwqi_outgoing){ .tag = DWQI_RETURN,
                                                         .n_items = (uint32_t)n,
                                                         .parts = &part,
                                                         .n_parts = n > 0 });
    if (status == DWQ_OK) {
        status = dwqi_flush(server->config.transport);
    }
    free(ids);
    if (status == DWQ_OK && n_seen < n_held) {
        /* The rest has no ids: the controller gives it up with this worker. */
        return refuse(server, "the head of a task");
    }
    return status;
}

/* --- Events ------------------------------------------------------------- */

static dwq_status_t hold(struct server *server, struct dwqi_message *message)
{
    struct batch *batch = calloc(1, sizeof *batch);

    if (!batch) {
        return DWQ_E_NOMEM;
    }
    batch->message = *message;
    batch->n_left = message->n_items;
    message->memory = NULL; /* now the batch's */
    DL_APPEND(server->batches, batch);
    return DWQ_OK;
}

static dwq_status_t report_withdrawn(struct server *server, const char *reason)
{
    struct dwqi_extent part = { reason, strlen(reason) + 1 };
    dwq_status_t status = DWQ_OK;

    dwqi_log_warning(server->config.log, "this worker is withdrawn: %s",
                     reason);
    if (server->batches) {
        status = give_back(server);
    }
    if (status == DWQ_OK) {
        status = dwqi_results_push(&server->results, true);
    }
    if (status == DWQ_OK) {
        status = send_to_controller(
            server, &(struct dwqi_outgoing){ .tag = DWQI_WITHDRAW,
                                             .n_items = 1,
                                             .parts = &part,
                                             .n_parts = 1 });
    }
    return status == DWQ_OK ? dwqi_flush(server->config.transport) : status;
}

static dwq_status_t say_bye(struct server *server)
{
    dwq_status_t status = dwqi_results_push(&server->results, true);

    return status == DWQ_OK
               ? dwqi_send_bare(server->config.transport,
                                server->config.controller, DWQI_BYE)
               : status;
}

static dwq_status_t act(struct server *server, enum dwqi_worker_action action,
                        struct dwqi_message *message, const char *reason)
{
    dwq_status_t status;

    switch (action) {
    case DWQI_WA_REPORT_READY:
        return report_ready(server);
    case DWQI_WA_REPORT_WITHDRAWN:
        return report_withdrawn(server, reason);
    case DWQI_WA_REPORT_AND_SAY_BYE:
        status = report_withdrawn(server, reason);
        return status == DWQ_OK ? say_bye(server) : status;
    case DWQI_WA_HOLD:
        return hold(server, message);
    case DWQI_WA_GIVE_BACK:
        status = give_back(server);
        if (status == DWQ_OK) {
            dwqi_worker_desk_answer(&server->desk);
        }
        return status;
    case DWQI_WA_SAY_BYE:
        return say_bye(server);
    case DWQI_WA_DROP:
    case DWQI_WA_NONE:
        break;
    }
    return DWQ_OK;
}

static dwq_status_t handle_event(struct server *server,
                                 enum dwqi_worker_event event,
                                 struct dwqi_message *message,
                                 const char *reason)
{
    struct dwqi_edge edge = dwqi_worker_edge(server->state, event);

    if (!edge.allowed) {
        return DWQ_E_STATE;
    }
    server->state = edge.next;
    return act(server, edge.action, message, reason);
}

static dwq_status_t begin(struct dwqi_role *role)
{
    return handle_event(of(role), DWQI_WE_BEGIN, NULL, "");
}

static dwq_status_t withdraw(struct dwqi_role *role, const char *reason)
{
    return handle_event(of(role), DWQI_WE_WITHDRAW, NULL, reason);
}

/* A message that cannot be: this worker does not know any more what it was
 * sent, and leaves the rest to others. */
static dwq_status_t refuse(struct server *server, const char *what)
{
    char reason[128];

    if (server->state == DWQI_WS_WITHDRAWN || server->state == DWQI_WS_CLOSED) {
        return DWQ_OK;
    }
    server->role.has_failed = true;
    dwqi_plain_format(reason, sizeof reason, "a message could not be read: %s",
                      what);
    return withdraw(&server->role, reason);
}

/* There was no memory for it. A large task comes alone. */
static bool is_lost_task(const struct dwqi_message *message)
{
    return message->status == DWQ_E_NOMEM && message->tag == DWQI_TASK &&
           message->n_items == 1;
}

static dwq_status_t handle_message(struct server *server,
                                   struct dwqi_message *message)
{
    enum dwqi_worker_event event;

    if (message->status != DWQ_OK && !is_lost_task(message)) {
        return refuse(server, message->why);
    }
    switch (message->tag) {
    case DWQI_TASK:
        if (!message->body) {
            return refuse(server, "tasks without a body");
        }
        if (message->n_items == 0 ||
            message->n_items >
                message->body_size / sizeof(struct dwqi_task_head)) {
            return refuse(server, "a count of tasks that its body cannot hold");
        }
        event = DWQI_WE_TASK;
        break;
    case DWQI_RECALL:
        event = DWQI_WE_RECALL;
        break;
    case DWQI_EXIT:
        event = DWQI_WE_EXIT;
        break;
    default:
        return refuse(server, "a tag that only workers send");
    }
    if (!dwqi_worker_edge(server->state, event).allowed) {
        return refuse(server, dwqi_worker_event_name(event));
    }
    return handle_event(server, event, message, "");
}

/* The tasks that were left at the desk, when all were here that were sent before. */
static dwq_status_t take_letter(struct server *server)
{
    const struct batch *last = server->batches ? server->batches->prev : NULL;
    struct dwqi_message letter;
    dwq_status_t status;

    if (!dwqi_worker_desk_read(&server->desk, &letter)) {
        return DWQ_OK;
    }
    status = handle_message(server, &letter);
    if (server->batches && server->batches->prev != last) {
        server->batches->prev->is_letter = true;
    } else {
        dwqi_worker_desk_clear(&server->desk);
    }
    return status;
}

/* The next message, if there is one, is handled. */
static dwq_status_t hear(struct server *server)
{
    struct dwqi_transport *transport = server->config.transport;
    struct dwqi_message message;
    dwq_status_t status = server->running ? dwqi_glance(transport, &message)
                                          : dwqi_poll(transport, &message);

    if (status == DWQ_OK) {
        status = take_letter(server); /* it was left before this was sent */
        if (status == DWQ_OK) {
            status = handle_message(server, &message);
        }
        dwqi_release(transport, &message);
    }
    return status;
}

/* --- Running ------------------------------------------------------------ */

/* The next item that was not started; NULL: none that can be read. */
static const unsigned char *next_item(const struct server *server,
                                      struct dwqi_task_head *head_out)
{
    const struct batch *b = server->batches;
    const unsigned char *item;

    while (b && b->n_left == 0) {
        b = b->next;
    }
    if (!b || b->message.status != DWQ_OK) {
        return NULL;
    }
    item = b->message.body + b->at;
    return dwqi_task_head_read(item, b->message.body_size - b->at, head_out) ==
                   DWQ_OK
               ? item
               : NULL;
}

/* See dwqi_last_call_next(); 0 also where there is no next one. */
static double next_short(const struct server *server,
                         const struct dwqi_report *report)
{
    struct dwqi_task_head head;
    const unsigned char *item = next_item(server, &head);

    return item ? dwqi_last_call_next(&server->last, report->parts[0].data,
                                      item, &head)
                : 0;
}

static dwq_status_t report_done(struct server *server,
                                const struct dwqi_report *report)
{
    dwq_status_t status = DWQ_OK;

    if (server->ready_data_changed) {
        status = report_ready(server); /* so that DONE does not come first */
    }
    if (status != DWQ_OK) {
        report->release(report->owner);
        return status;
    }
    status =
        dwqi_results_send(&server->results, report, next_short(server, report));
    if (status == DWQ_OK && report->size > DWQI_INLINE_MAX && server->batches &&
        !server->batches->is_letter) {
        /* The next call may start only then: a transfer moves only while
         * somebody polls. With a letter, nobody does, and what follows is short. */
        status = dwqi_flush(server->config.transport);
    }
    return status;
}

static dwq_status_t poll_running(struct server *server)
{
    struct dwqi_runner *runner = server->config.runner;
    struct batch *batch = server->batches;
    struct dwqi_report report;
    dwq_status_t status = runner->ops->poll(runner, &report);

    if (status != DWQ_OK) {
        return status;
    }
    server->running = false;
    if (batch->n_left == 0) {
        drop_batch(server, batch);
    }
    if (server->state != DWQI_WS_SERVING && server->state != DWQI_WS_DRAINING) {
        report.release(report.owner); /* withdrawn: the controller gave it up */
        return DWQ_OK;
    }
    return report_done(server, &report);
}

static dwq_status_t run_one(struct server *server)
{
    struct dwqi_runner *runner = server->config.runner;
    struct batch *batch = server->batches;
    const unsigned char *item = batch->message.body + batch->at;
    struct dwqi_task_head head;
    dwq_status_t status =
        dwqi_task_head_read(item, batch->message.body_size - batch->at, &head);

    if (status != DWQ_OK) {
        drop_batch(server, batch);
        return refuse(server, "the head of a task");
    }
    batch->at += head.size;
    batch->n_left--;
    if (!dwqi_worker_desk_claim(&server->desk)) {
        if (batch->n_left == 0) {
            drop_batch(server, batch);
        }
        return DWQ_OK;
    }
    if (!batch->is_letter) {
        status = dwqi_results_settle(&server->results);
    }
    if (status != DWQ_OK) {
        return status;
    }
    server->running = true;
    if (batch->message.status != DWQ_OK) {
        status = runner->ops->fail(runner, &head);
    } else {
        dwqi_last_call_keep(&server->last, item, &head);
        status = runner->ops->start(runner, item, &head);
    }
    return status == DWQ_OK ? poll_running(server) : status;
}

static dwq_status_t run_or_give_back(struct server *server)
{
    /* now() is not free on a hot path; most runs have no limit. */
    if (!isinf(server->config.time_limit) &&
        dwqi_now(server->config.transport) >= server->config.time_limit) {
        return give_back(server);
    }
    return run_one(server);
}

/* Of two times, of which 0 is none. */
static double earlier(double a, double b)
{
    return a == 0 ? b : b == 0 ? a : fmin(a, b);
}

static dwq_status_t step(struct dwqi_role *role)
{
    struct server *server = of(role);
    bool idle = !server->batches;
    dwq_status_t status = DWQ_OK;

    role->look_again = 0;
    /* One that was idle begins with the first task it hears of: where ranks share
     * cores, a poll in vain gives the core away. */
    while (status == DWQ_OK && !(idle && server->batches)) {
        status = hear(server);
    }
    if (status == DWQ_OK || status == DWQ_E_AGAIN) {
        status = dwqi_results_push(&server->results, false);
    }
    if (status != DWQ_OK) {
        return status;
    }
    role->look_again = dwqi_results_look_again(&server->results);
    if (server->running) {
        return poll_running(server);
    }
    if (server->batches) {
        return run_or_give_back(server);
    }
    if (server->state == DWQI_WS_DRAINING) {
        return handle_event(server, DWQI_WE_EMPTY, NULL, "");
    }
    if (server->state == DWQI_WS_SERVING) {
        status = take_letter(server);
        if (status != DWQ_OK || server->batches) {
            return status;
        }
        if (!dwqi_results_are_many(&server->results) &&
            (dwqi_worker_desk_is_fed(&server->desk) ||
             dwqi_rests(server->config.transport))) {
            role->look_again =
                earlier(role->look_again, dwqi_worker_desk_wait(&server->desk));
        }
    }
    return DWQ_E_AGAIN;
}

static bool is_closed(const struct dwqi_role *role)
{
    return ((const struct server *)(const void *)role)->state == DWQI_WS_CLOSED;
}

static const struct dwqi_role_ops ops = {
    .begin = begin,
    .withdraw = withdraw,
    .set_ready_data = set_ready_data,
    .step = step,
    .is_closed = is_closed,
    .finish = finish,
};

dwq_status_t dwqi_server_create(const struct dwqi_server_config *config,
                                struct dwqi_role **role_out)
{
    struct server *server = calloc(1, sizeof *server);

    if (!server) {
        return DWQ_E_NOMEM;
    }
    server->role.ops = &ops;
    server->config = *config;
    server->state = DWQI_WS_STARTING;
    server->desk.transport = config->transport;
    server->desk.controller = config->controller;
    server->results.transport = config->transport;
    server->results.controller = config->controller;
    *role_out = &server->role;
    return DWQ_OK;
}
