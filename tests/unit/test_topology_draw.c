/* The drawings of one plan, to the letter. (tests/unit/plan.sh reads the JSON
 * and the SVG with other programs.) */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "topology/plan/draw.h"
#include "topology/plan/hosts.h"
#include "topology/text.h"

typedef void draw_fn(const struct dwqi_cluster *cluster,
                     const struct dwqi_placement *plan,
                     struct dwqi_buffer *text);

static void draw_plain(const struct dwqi_cluster *cluster,
                       const struct dwqi_placement *plan,
                       struct dwqi_buffer *text)
{
    dwqi_draw_terminal(cluster, plan, false, text);
}

/* Two hosts of two packages of three cores, six ranks each, groups of two with
 * brokers inside. */
static char *draw(draw_fn *function, int max_workers)
{
    struct dwqi_cluster cluster = { .hosts = NULL };
    struct dwqi_placement plan;
    struct dwqi_error fault;
    struct dwqi_error why;
    struct dwqi_buffer text = { .data = NULL };
    char *string;

    cr_assert_eq(dwqi_hosts_parse("a<\"&b:pack:2 core:3; c:pack:2 core:3",
                                  &cluster, &fault),
                 DWQ_OK, "%s", fault.text);
    for (int i = 0; i < 12; i++) {
        dwqi_cluster_add_rank(&cluster, i / 6, NULL);
    }
    cr_assert_eq(dwqi_place(&cluster,
                            &(struct dwqi_place_request){
                                .grouping = DWQ_GROUPING_SPLIT,
                                .size = { .kind = DWQI_SIZE_FIXED, .n = 2 },
                                .broker = DWQI_BROKER_INSIDE,
                                .max_workers = max_workers },
                            &plan, &why),
                 DWQ_OK, "%s", why.text);
    function(&cluster, &plan, &text);
    dwqi_placement_finish(&plan);
    dwqi_cluster_finish(&cluster);
    string = dwqi_text_take(&text);
    cr_assert_not_null(string);
    return string;
}

Test(topology_draw, draws_one_letter_for_each_core)
{
    char *text = draw(draw_plain, 3);

    cr_assert_not_null(strstr(text, "package 0   NUMA node 0   @aA\n"), "%s",
                       text);
    cr_assert_not_null(strstr(text, "package 1   NUMA node 0   bB.\n"));
    cr_assert_not_null(strstr(text, "package 0   NUMA node 0   cC.\n"));
    cr_assert_not_null(strstr(text, "package 1   NUMA node 0   ...\n"));
    free(text);
}

Test(topology_draw, lists_groups_and_what_is_idle)
{
    char *text = draw(dwqi_draw_table, 3);

    cr_assert_not_null(strstr(text, "controller: rank 0, a<\"&b, core 0\n"));
    cr_assert_not_null(strstr(text, "    2      2  3-4 "), "%s", text);
    cr_assert_not_null(strstr(text, "c 0-1\n"));
    cr_assert_not_null(
        strstr(text, "idle: ranks 5,8-11: max_workers is reached\n"));
    free(text);
}

Test(topology_draw, escapes_names)
{
    char *json = draw(dwqi_draw_json, 1), *svg = draw(dwqi_draw_svg, 1);

    cr_assert_not_null(strstr(json, "\"a<\\\"&b\""));
    cr_assert_not_null(strstr(json,
                              "{\"id\":1,\"width\":2,\"hosts\":[\"a<\\\"&b\"],"
                              "\"ranks\":[1,2],"));
    cr_assert_not_null(strstr(json, "\"cpuset\":[[1],[2]]"), "%s", json);
    cr_assert_not_null(strstr(svg, "a&#60;&#34;&#38;b"));
    free(json);
    free(svg);
}
