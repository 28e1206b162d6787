#include "libdwq/process/witness.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libdwq/base/line.h"
#include "libdwq/process/lines.h"
#include "libdwq/process/process.h"

/* A launcher that ends its job hears what its ranks say more often when they live
 * a moment longer. */
static const struct timespec moment = { .tv_nsec = 200 * 1000 * 1000 };

static void copy_text(char *to, size_t size, const char *from)
{
    size_t length = strlen(from);

    if (length >= size) {
        length = size - 1;
    }
    memcpy(to, from, length);
    to[length] = '\0';
}

void dwqi_witness_begin(struct dwqi_witness *witness,
                        struct dwqi_witness *outer)
{
    memset(witness, 0, sizeof *witness);
    witness->outer = outer;
    witness->words = &witness->own;
    witness->own.process = (int32_t)getpid();
    gethostname(witness->own.host, sizeof witness->own.host - 1);
    witness->thread = pthread_self();
    pthread_sigmask(SIG_SETMASK, NULL, &witness->blocked);
}

void dwqi_witness_finish(struct dwqi_witness *witness)
{
    witness->words->process = 0;
    dwqi_board_destroy(witness->board);
    witness->board = NULL;
    witness->words = &witness->own;
}

void dwqi_witness_set_who(struct dwqi_witness *witness, const char *who)
{
    copy_text(witness->words->who, sizeof witness->words->who, who);
}

void dwqi_witness_set_board(struct dwqi_witness *witness,
                            struct dwqi_board *board)
{
    struct dwqi_last_words *place;
    struct dwqi_board *old = witness->board;

    if (board == old) {
        return;
    }
    place = dwqi_board_take_place(board);
    if (place) {
        *place = *witness->words;
        witness->words->process = 0;
    }
    witness->words = place ? place : &witness->own;
    witness->board = board;
    dwqi_board_destroy(old);
}

/* --- Calls ---------------------------------------------------------------------------- */

void dwqi_witness_enter_call(struct dwqi_witness *witness,
                             struct dwqi_way_out *way, uint64_t id,
                             const char *function)
{
    struct dwqi_last_words *words = witness->words;

    way->outer = witness->way;
    if (way->outer) {
        way->outer_id = words->id;
        memcpy(way->outer_function, words->function, sizeof words->function);
    }
    words->id = id;
    copy_text(words->function, sizeof words->function, function);
    atomic_store_explicit(&witness->way, way, memory_order_release);
}

/* It may have been left out of a run in it. */
void dwqi_witness_leave_call(struct dwqi_witness *witness,
                             struct dwqi_way_out *way)
{
    struct dwqi_last_words *words = witness->words;

    atomic_store_explicit(&witness->way, way->outer, memory_order_release);
    words->function[0] = '\0';
    if (way->outer) {
        words->id = way->outer_id;
        memcpy(words->function, way->outer_function, sizeof words->function);
    }
}

void dwqi_witness_keep(struct dwqi_witness *witness,
                       const struct dwqi_way_out *way)
{
    dwqi_process_come_back((struct dwqi_process_run *)(void *)witness);
    witness->given_up = *witness->words;
    copy_text(witness->why_given_up, sizeof witness->why_given_up, way->text);
}

/* A handler blocks its own signal, and code outside of one blocks few. */
static bool is_in_handler(const struct dwqi_witness *witness)
{
    sigset_t now;
    bool more = false;

    pthread_sigmask(SIG_SETMASK, NULL, &now);
    for (int s = 1; s < 32 && !more; s++) {
        more =
            sigismember(&now, s) == 1 && sigismember(&witness->blocked, s) == 0;
    }
    return more;
}

void dwqi_witness_give_up(int code, const char *text)
{
    struct dwqi_witness *witness = dwqi_process_witness();

    while (witness && !witness->way) {
        witness = witness->outer; /* it may be in a call that runs one */
    }
    if (!witness) {
        return;
    }
    if (!pthread_equal(witness->thread, pthread_self())) {
        struct dwqi_line line = { .used = 0 };

        dwqi_line_add(&line, "another thread of the call ");
        dwqi_line_add(&line, text);
        line.text[line.used] = '\0';
        dwqi_witness_say(witness, line.text);
        dwqi_witness_exit_now(code ? code : 1);
    }
    if (is_in_handler(witness)) {
        return;
    }
    witness->way->code = code;
    copy_text(witness->way->text, sizeof witness->way->text, text);
    siglongjmp(witness->way->back, 1);
}

/* --- Saying it ------------------------------------------------------------------------ */

bool dwqi_witness_claim(struct dwqi_witness *witness)
{
    bool first = !atomic_exchange(&witness->is_said, true);

    return first && (!witness->board || dwqi_board_claim(witness->board));
}

void dwqi_witness_hush(void)
{
    struct dwqi_witness *witness = dwqi_process_witness();

    if (witness) {
        dwqi_witness_claim(witness);
    }
}

static void add_words(struct dwqi_line *line,
                      const struct dwqi_last_words *words, const char *before,
                      const char *reason)
{
    dwqi_line_add(line, words->who[0] ? words->who : "a rank");
    dwqi_line_add(line, before);
    dwqi_line_add(line, reason);
    dwqi_line_add(line, " on host ");
    dwqi_line_add(line, words->host);
    if (words->function[0]) {
        dwqi_line_add(line, ", in task ");
        dwqi_line_add_number(line, words->id);
        dwqi_line_add(line, ", function '");
        dwqi_line_add(line, words->function);
        dwqi_line_add(line, "'");
    }
}

/* One write: what others say at the same time must not come between. */
static void say(const struct dwqi_last_words *words, const char *reason,
                const char *then)
{
    struct dwqi_line line = { .used = 0 };
    ssize_t ignored;

    dwqi_line_add(&line, "libdwq: ");
    add_words(&line, words, ": error: ", reason);
    dwqi_line_add(&line, then);
    dwqi_line_add(&line, ": all ranks end now");
    line.text[line.used++] = '\n';
    ignored = write(STDERR_FILENO, line.text, line.used);
    (void)ignored;
}

/* Where the others outlive this process, the controller hears why it dies. */
static bool tell_controller(const struct dwqi_last_words *words,
                            const char *reason, const char *then)
{
    struct dwqi_lines *lines = dwqi_process_lines();
    struct dwqi_line line = { .used = 0 };

    if (!lines || dwqi_lines_is_hub(lines)) {
        return false;
    }
    add_words(&line, words, ": ", reason);
    dwqi_line_add(&line, then);
    dwqi_lines_say(lines, line.text, (int)line.used);
    return true;
}

bool dwqi_witness_say(struct dwqi_witness *witness, const char *reason)
{
    const struct dwqi_witness *in_call = witness;

    while (in_call->outer && !in_call->way) {
        in_call = in_call->outer;
    }
    in_call = in_call->way ? in_call : witness;
    if (tell_controller(in_call->words, reason, "")) {
        return true;
    }
    if (!dwqi_witness_claim(witness)) {
        return false;
    }
    say(in_call->words, reason, "");
    nanosleep(&moment, NULL);
    return true;
}

void dwqi_witness_say_stuck(struct dwqi_witness *witness)
{
    static const char then[] =
        ", and not all ranks of its group came back from it in time";

    if (!tell_controller(&witness->given_up, witness->why_given_up, then) &&
        dwqi_witness_claim(witness)) {
        say(&witness->given_up, witness->why_given_up, then);
    }
}

void dwqi_witness_say_orphaned(struct dwqi_witness *witness)
{
    struct dwqi_line line = { .used = 0 };
    ssize_t ignored;

    if (dwqi_witness_claim(witness)) {
        dwqi_line_add(&line, "libdwq: ");
        dwqi_line_add(&line, witness->words->who);
        dwqi_line_add(&line, ": error: the controller's process is gone: all "
                             "ranks end now");
        line.text[line.used++] = '\n';
        ignored = write(STDERR_FILENO, line.text, line.used);
        (void)ignored;
    }
}

bool dwqi_witness_say_dead(struct dwqi_witness *witness)
{
    const struct dwqi_last_words *dead =
        witness->board ? dwqi_board_find_dead(witness->board) : NULL;

    if (!dead || !dwqi_witness_claim(witness)) {
        return false;
    }
    say(dead,
        "died without a word (SIGKILL, as where memory is short, or the "
        "like)",
        "");
    nanosleep(&moment, NULL);
    return true;
}

void dwqi_witness_say_late(bool in_calls)
{
    struct dwqi_witness *witness = dwqi_process_witness();
    struct dwqi_board *board = witness ? witness->board : NULL;
    const struct dwqi_last_words *stopped, *late;

    stopped = board ? dwqi_board_find_stopped(board) : NULL;
    late =
        !stopped && board && in_calls ? dwqi_board_find_busy(board) : stopped;
    if (late && dwqi_witness_claim(witness)) {
        say(late,
            stopped ? "is stopped (by a signal, or a debugger)"
                    : "has not come back from its call",
            "");
    }
}
