/* Agreements of a group during a call (dwq_call_agree). The group's first rank
 * counts. A rank that left the function has said no to every further agreement: it
 * says so when it is asked, or when it hears somebody else's word. So nobody waits
 * for a rank that will not come. */
#include <math.h>
#include <string.h>

#include "libdwq/group/team_private.h"

static bool is_first(const struct dwqi_team *team)
{
    return dwqi_team_rank(team) == 0;
}

static dwq_status_t say(struct dwqi_team *team, int group_rank,
                        enum dwqi_tag tag, struct dwqi_agreement agreement)
{
    struct dwqi_extent part = { &agreement, sizeof agreement };

    return dwqi_send(
        team->config.transport, dwqi_team_peer(team, group_rank),
        &(struct dwqi_outgoing){
            .tag = tag, .n_items = 1, .parts = &part, .n_parts = 1 });
}

/* Whether this rank will never come to that agreement. */
static bool has_left(const struct dwqi_team *team,
                     const struct dwqi_agreement *agreement)
{
    return agreement->task < team->n_tasks ||
           (agreement->task == team->n_tasks && !team->in_call);
}

static dwq_status_t answer(struct dwqi_team *team, int group_rank,
                           struct dwqi_agreement agreement)
{
    agreement.ok = false;
    return say(team, group_rank, is_first(team) ? DWQI_VERDICT : DWQI_AGREE,
               agreement);
}

dwq_status_t dwqi_team_agreement_came(struct dwqi_team *team,
                                      struct dwqi_message *message)
{
    int from = message->peer - team->config.first;
    struct dwqi_agreement agreement;

    if (message->body_size < sizeof agreement || from < 0 ||
        (message->tag == DWQI_AGREE) != is_first(team)) {
        return DWQ_E_MESSAGE;
    }
    memcpy(&agreement, message->body, sizeof agreement);
    switch (message->tag) {
    case DWQI_AGREE:
        team->members[from].agreement = agreement;
        break;
    case DWQI_ASK:
        team->asked = agreement;
        break;
    case DWQI_VERDICT:
        team->verdict = agreement;
        return DWQ_OK;
    default:
        return DWQ_E_MESSAGE;
    }
    /* The first rank's AGREEs of ranks that left themselves need no answer, and
     * get one that nobody reads. */
    return has_left(team, &agreement) ? answer(team, from, agreement) : DWQ_OK;
}

dwq_status_t dwqi_team_enter(struct dwqi_team *team)
{
    team->n_tasks++;
    team->round = 0;
    team->in_call = true;
    return DWQ_OK;
}

/* Whoever spoke of an agreement that this rank did not come to hears no. */
dwq_status_t dwqi_team_leave(struct dwqi_team *team)
{
    dwq_status_t status = DWQ_OK;

    team->in_call = false;
    if (!is_first(team)) {
        return team->asked.task == team->n_tasks &&
                       team->asked.round > team->round
                   ? answer(team, 0, team->asked)
                   : DWQ_OK;
    }
    for (int r = 1; r < team->n_ranks && status == DWQ_OK; r++) {
        const struct dwqi_agreement *word = &team->members[r].agreement;

        if (word->task == team->n_tasks && word->round > team->round) {
            status = answer(team, r, *word);
        }
    }
    return status;
}

static bool heard(const struct dwqi_team *team, int r)
{
    const struct dwqi_agreement *word = &team->members[r].agreement;

    return word->task == team->n_tasks && word->round >= team->round;
}

/* The first rank: ask those that have not spoken, wait for them, tell all. */
static dwq_status_t count(struct dwqi_team *team, struct dwqi_agreement mine,
                          bool *all_ok_out)
{
    dwq_status_t status = dwqi_team_receive(team);
    bool all_ok = mine.ok;

    for (int r = 1; r < team->n_ranks && status == DWQ_OK; r++) {
        if (!heard(team, r)) {
            status = say(team, r, DWQI_ASK, mine);
        }
    }
    for (int r = 1; r < team->n_ranks && status == DWQ_OK; r++) {
        while (status == DWQ_OK && !heard(team, r)) {
            status = dwqi_team_pause(team, INFINITY);
            status = status == DWQ_OK ? dwqi_team_receive(team) : status;
        }
        all_ok = all_ok && team->members[r].agreement.ok != 0;
    }
    mine.ok = all_ok;
    for (int r = 1; r < team->n_ranks && status == DWQ_OK; r++) {
        status = say(team, r, DWQI_VERDICT, mine);
    }
    *all_ok_out = all_ok;
    return status;
}

dwq_status_t dwqi_team_agree(struct dwqi_team *team, bool ok, bool *all_ok_out)
{
    struct dwqi_agreement mine;
    dwq_status_t status;

    if (!team->in_call) {
        return DWQ_E_STATE;
    }
    mine = (struct dwqi_agreement){ team->n_tasks, ++team->round, ok };
    if (is_first(team)) {
        return count(team, mine, all_ok_out);
    }
    status = say(team, 0, DWQI_AGREE, mine);
    while (status == DWQ_OK && (team->verdict.task != mine.task ||
                                team->verdict.round < mine.round)) {
        status = dwqi_team_receive(team);
        if (status == DWQ_OK && (team->verdict.task != mine.task ||
                                 team->verdict.round < mine.round)) {
            status = dwqi_team_pause(team, INFINITY);
        }
    }
    *all_ok_out = status == DWQ_OK && team->verdict.ok != 0;
    return status;
}
