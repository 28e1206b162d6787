/* Words in place of numbers, and texts where there is none to show: <dwq/flat.h>. */
#include <criterion/criterion.h>
#include <dwq/dwq.h>
#include <dwq/flat.h>

Test(flat_words, auto_is_one_of_numbers_that_the_library_can_choose)
{
    dwq_options_t *o = dwq_options_create();

    o->prefetch = 5;
    cr_expect_eq(dwq_options_set_string(o, "prefetch", "auto"), DWQ_OK);
    cr_expect_eq(o->prefetch, DWQ_PREFETCH_AUTO);
    cr_expect_eq(dwq_options_set_string(o, "nprocs_per_worker", "auto"),
                 DWQ_OK);
    cr_expect_eq(o->nprocs_per_worker, DWQ_NPROCS_AUTO);
    cr_expect_eq(dwq_options_set_string(o, "max_workers", "auto"), DWQ_E_ARG);
    cr_expect_eq(dwq_options_set_string(o, "bind", "auto"), DWQ_E_ARG);
    cr_expect_eq(dwq_options_set_string(o, "verbose", "auto"), DWQ_E_ARG);
    cr_expect_eq(dwq_options_set_string(o, "prefetch", "often"), DWQ_E_ARG);
    cr_expect_eq(dwq_options_set_string(o, "prefetch", NULL), DWQ_E_ARG);
    cr_expect_eq(o->prefetch, DWQ_PREFETCH_AUTO);
    dwq_options_destroy(o);
}

Test(flat_words,
     room_for_a_result_has_an_empty_message_at_first_and_when_cleared)
{
    dwq_result_t *result = dwq_result_create();
    const char *text = NULL;

    for (int i = 0; i < 2; i++) {
        cr_assert(dwq_result_string(result, "message", &text));
        cr_assert_not_null(text);
        cr_expect_str_eq(text, "");
        dwq_result_clear(result);
    }
    dwq_result_destroy(result);
}
