/*
 * Keeps flights that left at least a quarter of an hour late. An ordinary filter of lines, as it would be written for a shell:
 * it reads JSON objects from standard input, one a line, and writes those it keeps, with one more member, to standard output.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATE_MINUTES 15

/* The text behind "name": in a flat JSON object, or NULL. */
static const char *member(const char *line, const char *name) {
  const char *found = strstr(line, name);
  return found == NULL ? NULL : found + strlen(name);
}

int main(void) {
  static char line[65536];
  while (fgets(line, sizeof line, stdin) != NULL) {
    size_t length = strcspn(line, "\n");
    if (line[length] == '\0' && !feof(stdin)) {
      fprintf(stderr, "a line of more than %zu bytes\n", sizeof line - 2);
      return 1;
    }
    const char *delay = member(line, "\"delay\":");
    const char *date = member(line, "\"date\":\"");
    if (delay == NULL || date == NULL) {
      fprintf(stderr, "no delay and date in %.80s\n", line);
      return 2;
    }
    if (*delay == 'n' || atoi(delay) < LATE_MINUTES) continue; /* null, or not late */
    const char *time = strchr(date, 'T');
    if (time == NULL) continue;
    fwrite(line, 1, length - 1, stdout); /* all but the closing brace */
    printf(",\"hour\":%d}\n", atoi(time + 1));
  }
  return 0;
}
