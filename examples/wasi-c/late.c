/*
 * Keeps flights that left at least a quarter of an hour late, and adds the hour of the day. An ordinary filter of lines, as
 * it would be written for a shell: JSON objects in, one a line; those it keeps out, with one more member.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATE_MINUTES 15

/* The value behind a name in a flat JSON object, or NULL; the name with its quotes and colon. */
static const char *member(const char *line, const char *name) {
  size_t length = strlen(name);
  for (const char *at = line; (at = strchr(at, '"')) != NULL; at++)
    if (strncmp(at, name, length) == 0) return at + length;
  return NULL;
}

int main(void) {
  static char line[65536];
  while (fgets(line, sizeof line, stdin) != NULL) {
    char *end = strchr(line, '\n');
    if (end == NULL || end == line || end[-1] != '}') {
      fprintf(stderr, "no object on one line of at most %zu bytes: %.80s\n", sizeof line - 2, line);
      return 1;
    }
    const char *delay = member(line, "\"delay\":");
    const char *date = member(line, "\"date\":");
    if (delay == NULL || date == NULL) {
      fprintf(stderr, "no delay or no date: %.80s\n", line);
      return 1;
    }
    if (*delay == 'n' || atoi(delay) < LATE_MINUTES) continue; /* null, or in time */
    fwrite(line, 1, (size_t)(end - 1 - line), stdout);         /* all but the brace */
    if (*date == 'n')
      fputs(",\"hour\":null}\n", stdout);
    else
      printf(",\"hour\":%d}\n", atoi(strchr(date, 'T') + 1));
  }
  return 0;
}
