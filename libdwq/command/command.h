/* The program `dwq`: its subcommands. */
#ifndef DWQI_COMMAND_COMMAND_H
#define DWQI_COMMAND_COMMAND_H

#define COMMAND_BAD 2 /* exit code: arguments that cannot be */

/* Each gets its own name as argv[0], and gives an exit code. */
int command_run(int argc, char **argv);

#endif
