/* The broker's part in the service: its whole table, against a second list; and what
 * it says to clients that come, give up, come late, or ask for another name. The other
 * brokers are played here, over the simulated transport. */
#include <criterion/criterion.h>
#include <string.h>

#include "brokers/service.h"
#include "brokers/service_fsm.h"
#include "tests/sim/transport_sim.h"
#include "tests/unit/fsm_walk.h"

/* --- The table ---------------------------------------------------------------- */

static const struct listed_edge allowed[] = {
    { DWQI_SS_UNPUBLISHED, DWQI_SE_PUBLISH, DWQI_SS_OPEN, DWQI_SA_NONE },
    { DWQI_SS_UNPUBLISHED, DWQI_SE_LEAVE, DWQI_SS_GONE, DWQI_SA_REFUSE_ALL },
    { DWQI_SS_OPEN, DWQI_SE_NEXT, DWQI_SS_OFFERED, DWQI_SA_SEND_OFFER },
    { DWQI_SS_OPEN, DWQI_SE_LEAVE, DWQI_SS_GONE, DWQI_SA_REFUSE_ALL },
    { DWQI_SS_OFFERED, DWQI_SE_COMMIT, DWQI_SS_ACCEPTING, DWQI_SA_SEND_ACCEPT },
    { DWQI_SS_OFFERED, DWQI_SE_CANCEL, DWQI_SS_OPEN, DWQI_SA_NONE },
    { DWQI_SS_ACCEPTING, DWQI_SE_PUBLISH, DWQI_SS_RENEWED, DWQI_SA_NONE },
    { DWQI_SS_ACCEPTING, DWQI_SE_ACCEPTED, DWQI_SS_UNPUBLISHED, DWQI_SA_NONE },
    { DWQI_SS_RENEWED, DWQI_SE_ACCEPTED, DWQI_SS_OPEN, DWQI_SA_NONE },
    { DWQI_SS_GONE, DWQI_SE_PUBLISH, DWQI_SS_GONE, DWQI_SA_NONE },
    { DWQI_SS_GONE, DWQI_SE_LEAVE, DWQI_SS_GONE, DWQI_SA_NONE },
};

static struct dwqi_edge find(int state, int event)
{
    return dwqi_service_edge((enum dwqi_service_state)state,
                             (enum dwqi_service_event)event);
}

Test(service, every_pair_is_allowed_as_listed_or_refused)
{
    expect_edges(allowed, sizeof allowed / sizeof allowed[0], DWQI_SS_COUNT,
                 DWQI_SE_COUNT, find);
}

/* --- Talks ----------------------------------------------------------------------- */

/* Group 1's broker, inside its group of one rank, is the simulation's endpoint 1; the
 * brokers of groups 2 and 3 are endpoints 2 and 3. Endpoint 0 lets time pass. */
struct talk {
    bool keeps_its_port; /* no new one, after an accept */
    struct dwqi_sim *sim;
    struct dwqi_log log;
    struct dwqi_team *team;
    struct dwqi_broker_service *service;
    int n_accepts;
};

static void publish(struct talk *talk, const char *port)
{
    struct dwqi_service word = { .kind = DWQI_SERVICE_PUBLISH, .name = "name" };

    snprintf(word.port, sizeof word.port, "%s", port);
    cr_assert_eq(dwqi_broker_service_ask(talk->service, &word), DWQ_OK);
}

static dwq_status_t count_accept(void *arg)
{
    struct talk *talk = arg;

    talk->n_accepts++;
    if (!talk->keeps_its_port) {
        publish(talk, "next port");
    }
    return DWQ_OK;
}

static dwq_status_t hear_nothing(void *arg, const struct dwqi_service *word)
{
    (void)arg;
    (void)word;
    cr_assert_fail("group 1 asked for nothing");
    return DWQ_OK;
}

static void begin(struct talk *talk)
{
    struct dwqi_sim_config sim = { .n_endpoints = 4,
                                   .seed = 7,
                                   .mean_delay = 1e-3 };

    *talk = (struct talk){ .sim = dwqi_sim_create(&sim) };
    cr_assert_eq(dwqi_team_create(
                     &(struct dwqi_team_config){
                         .transport = dwqi_sim_endpoint(talk->sim, 0),
                         .log = &talk->log,
                         .size = 1 },
                     &talk->team),
                 DWQ_OK);
    cr_assert_eq(dwqi_broker_service_create(
                     &(struct dwqi_broker_service_config){
                         .transport = dwqi_sim_endpoint(talk->sim, 1),
                         .team = talk->team,
                         .log = &talk->log,
                         .group = 1,
                         .n_groups = 3,
                         .server = 1,
                         .accept = count_accept,
                         .heard = hear_nothing,
                         .arg = talk },
                     &talk->service),
                 DWQ_OK);
}

static void finish(struct talk *talk)
{
    dwqi_broker_service_destroy(talk->service);
    dwqi_team_destroy(talk->team);
    dwqi_sim_destroy(talk->sim);
}

/* All that was sent arrives. */
static void deliver(struct talk *talk)
{
    struct dwqi_transport *clock = dwqi_sim_endpoint(talk->sim, 0);

    dwqi_pause(clock, dwqi_now(clock) + 10);
}

static void say(struct talk *talk, int group, enum dwqi_service_kind kind,
                uint64_t number, const char *name)
{
    struct dwqi_service word = { .kind = kind,
                                 .group = group,
                                 .number = number };

    snprintf(word.name, sizeof word.name, "%s", name);
    cr_assert_eq(
        dwqi_service_send(dwqi_sim_endpoint(talk->sim, group), 1, &word),
        DWQ_OK);
    deliver(talk);
}

static dwq_status_t hear(struct talk *talk)
{
    return dwqi_broker_service_pump(talk->service);
}

/* What the server says to the group now; 0: nothing. */
static int answer(struct talk *talk, int group, uint64_t number)
{
    struct dwqi_transport *transport = dwqi_sim_endpoint(talk->sim, group);
    struct dwqi_message message;
    struct dwqi_service word;

    deliver(talk);
    if (dwqi_poll(transport, &message) != DWQ_OK) {
        return 0;
    }
    cr_assert_eq(message.tag, DWQI_SERVICE);
    cr_assert_eq(dwqi_service_read(&message, &word), DWQ_OK);
    dwqi_release(transport, &message);
    cr_assert_eq(word.number, number);
    cr_assert(word.kind != DWQI_SERVICE_OFFER ||
              strcmp(word.port, talk->n_accepts > 0 ? "next port" : "port") ==
                  0);
    return (int)word.kind;
}

static dwq_status_t step(struct talk *talk, bool idle)
{
    return dwqi_broker_service_step(talk->service, idle);
}

Test(service, one_client_at_a_time_the_oldest_first)
{
    struct talk talk;

    begin(&talk);
    say(&talk, 3, DWQI_SERVICE_REQUEST, 1, "name");
    cr_assert_eq(hear(&talk), DWQ_OK);
    say(&talk, 2, DWQI_SERVICE_REQUEST, 1, "name");
    cr_assert_eq(hear(&talk), DWQ_OK);
    cr_assert_eq(step(&talk, true), DWQ_E_AGAIN, "not published");
    publish(&talk, "port");
    cr_assert_eq(step(&talk, false), DWQ_E_AGAIN, "a call runs");
    cr_assert(!dwqi_broker_service_holds(talk.service));
    cr_assert_eq(step(&talk, true), DWQ_OK);
    cr_assert(dwqi_broker_service_holds(talk.service));
    cr_assert_eq(answer(&talk, 3, 1), DWQI_SERVICE_OFFER);
    cr_assert_eq(step(&talk, true), DWQ_E_AGAIN);
    cr_assert_eq(answer(&talk, 2, 1), 0);
    say(&talk, 3, DWQI_SERVICE_COMMIT, 1, "name");
    cr_assert_eq(hear(&talk), DWQ_OK);
    cr_assert(dwqi_broker_service_holds(talk.service));
    cr_assert_eq(talk.n_accepts, 0);
    cr_assert_eq(step(&talk, false), DWQ_OK);
    cr_assert_eq(talk.n_accepts, 1);
    cr_assert(!dwqi_broker_service_holds(talk.service));
    cr_assert_eq(step(&talk, true), DWQ_OK);
    cr_assert_eq(answer(&talk, 2, 1), DWQI_SERVICE_OFFER);
    finish(&talk);
}

Test(service, each_client_has_a_port_of_its_own)
{
    struct talk talk;

    begin(&talk);
    talk.keeps_its_port = true;
    publish(&talk, "port");
    for (int group = 2; group <= 3; group++) {
        say(&talk, group, DWQI_SERVICE_REQUEST, 1, "name");
    }
    cr_assert_eq(hear(&talk), DWQ_OK);
    cr_assert_eq(step(&talk, true), DWQ_OK);
    cr_assert_eq(answer(&talk, 2, 1), DWQI_SERVICE_OFFER);
    say(&talk, 2, DWQI_SERVICE_COMMIT, 1, "name");
    cr_assert_eq(hear(&talk), DWQ_OK);
    cr_assert_eq(step(&talk, false), DWQ_OK);
    cr_assert_eq(talk.n_accepts, 1);
    cr_assert_eq(step(&talk, true), DWQ_E_AGAIN, "the port was used");
    publish(&talk, "next port");
    cr_assert_eq(step(&talk, true), DWQ_OK);
    cr_assert_eq(answer(&talk, 3, 1), DWQI_SERVICE_OFFER);
    finish(&talk);
}

Test(service, a_request_that_was_given_up_is_not_offered)
{
    struct talk talk;

    begin(&talk);
    publish(&talk, "port");
    say(&talk, 2, DWQI_SERVICE_REQUEST, 1, "name");
    say(&talk, 2, DWQI_SERVICE_CANCEL, 1, "name");
    cr_assert_eq(hear(&talk), DWQ_OK);
    cr_assert_eq(step(&talk, true), DWQ_E_AGAIN);
    cr_assert_eq(answer(&talk, 2, 1), 0);
    /* Given up and asked again. */
    say(&talk, 2, DWQI_SERVICE_REQUEST, 2, "name");
    say(&talk, 2, DWQI_SERVICE_CANCEL, 2, "name");
    say(&talk, 2, DWQI_SERVICE_REQUEST, 3, "name");
    cr_assert_eq(hear(&talk), DWQ_OK);
    cr_assert_eq(step(&talk, true), DWQ_OK);
    cr_assert_eq(answer(&talk, 2, 3), DWQI_SERVICE_OFFER);
    finish(&talk);
}

Test(service, an_offer_that_comes_too_late_is_taken_back)
{
    struct talk talk;

    begin(&talk);
    publish(&talk, "port");
    say(&talk, 2, DWQI_SERVICE_REQUEST, 1, "name");
    cr_assert_eq(hear(&talk), DWQ_OK);
    cr_assert_eq(step(&talk, true), DWQ_OK);
    say(&talk, 2, DWQI_SERVICE_CANCEL, 1, "name"); /* before it was read */
    cr_assert_eq(answer(&talk, 2, 1), DWQI_SERVICE_OFFER);
    say(&talk, 2, DWQI_SERVICE_REQUEST, 2, "name");
    cr_assert_eq(hear(&talk), DWQ_OK);
    cr_assert(!dwqi_broker_service_holds(talk.service));
    cr_assert_eq(step(&talk, true), DWQ_OK);
    cr_assert_eq(answer(&talk, 2, 2), DWQI_SERVICE_OFFER);
    say(&talk, 2, DWQI_SERVICE_COMMIT, 2, "name");
    cr_assert_eq(hear(&talk), DWQ_OK);
    cr_assert_eq(step(&talk, false), DWQ_OK);
    cr_assert_eq(talk.n_accepts, 1);
    finish(&talk);
}

Test(service, a_request_under_another_name_gets_no_offer)
{
    struct talk talk;

    begin(&talk);
    publish(&talk, "port");
    say(&talk, 2, DWQI_SERVICE_REQUEST, 1, "another");
    cr_assert_eq(hear(&talk), DWQ_OK);
    cr_assert_eq(step(&talk, true), DWQ_E_AGAIN);
    cr_assert_eq(answer(&talk, 2, 1), 0);
    finish(&talk);
}

Test(service, a_group_that_leaves_refuses_what_waits_and_what_comes)
{
    struct talk talk;

    begin(&talk);
    publish(&talk, "port");
    say(&talk, 2, DWQI_SERVICE_REQUEST, 1, "name");
    cr_assert_eq(hear(&talk), DWQ_OK);
    cr_assert_eq(dwqi_broker_service_leave(talk.service), DWQ_OK);
    cr_assert_eq(answer(&talk, 2, 1), DWQI_SERVICE_REFUSE);
    cr_assert_eq(answer(&talk, 3, 1), 0);
    say(&talk, 3, DWQI_SERVICE_REQUEST, 1, "name");
    cr_assert_eq(hear(&talk), DWQ_OK);
    cr_assert_eq(answer(&talk, 3, 1), DWQI_SERVICE_REFUSE);
    finish(&talk);
}

Test(service, what_cannot_be_said_is_an_error_and_no_silence)
{
    struct talk talk;

    begin(&talk);
    publish(&talk, "port");
    say(&talk, 2, DWQI_SERVICE_COMMIT, 1, "name"); /* nothing was offered */
    cr_assert_eq(hear(&talk), DWQ_E_MESSAGE);
    say(&talk, 2, DWQI_SERVICE_REQUEST, 1, "name");
    cr_assert_eq(hear(&talk), DWQ_OK);
    cr_assert_eq(step(&talk, true), DWQ_OK);
    cr_assert_eq(dwqi_broker_service_leave(talk.service), DWQ_E_STATE);
    say(&talk, 3, DWQI_SERVICE_COMMIT, 1, "name"); /* to another group */
    cr_assert_eq(hear(&talk), DWQ_E_MESSAGE);
    say(&talk, 2, DWQI_SERVICE_COMMIT, 2, "name"); /* another number */
    cr_assert_eq(hear(&talk), DWQ_E_MESSAGE);
    say(&talk, 2, DWQI_SERVICE_PUBLISH, 2, "name");
    cr_assert_eq(hear(&talk), DWQ_E_MESSAGE);
    finish(&talk);
}

/* Messages of others keep their order behind a pump. */
Test(service, the_inbox_keeps_what_is_not_of_the_service)
{
    struct talk talk;
    struct dwqi_transport *inbox, *other;
    struct dwqi_message message;

    begin(&talk);
    publish(&talk, "port");
    inbox = dwqi_broker_service_transport(talk.service);
    other = dwqi_sim_endpoint(talk.sim, 2);
    dwqi_send_bare(other, 1, DWQI_RECALL);
    say(&talk, 2, DWQI_SERVICE_REQUEST, 1, "name");
    dwqi_send_bare(other, 1, DWQI_EXIT);
    deliver(&talk);
    cr_assert_eq(hear(&talk), DWQ_OK);
    cr_assert_eq(dwqi_poll(inbox, &message), DWQ_OK);
    cr_assert_eq(message.tag, DWQI_RECALL);
    dwqi_release(inbox, &message);
    cr_assert_eq(dwqi_poll(inbox, &message), DWQ_OK);
    cr_assert_eq(message.tag, DWQI_EXIT);
    dwqi_release(inbox, &message);
    cr_assert_eq(dwqi_poll(inbox, &message), DWQ_E_AGAIN);
    cr_assert_eq(step(&talk, true), DWQ_OK);
    cr_assert_eq(answer(&talk, 2, 1), DWQI_SERVICE_OFFER);
    finish(&talk);
}
