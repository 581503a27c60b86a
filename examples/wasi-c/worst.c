/*
 * The ten longest delays of what it reads, the longest first: CSV with a header in, JSON objects out. It sorts all that it
 * reads, so it depends on where its input begins and ends: a module of kind batch.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT 10

struct flight {
  long delay;
  unsigned row; /* equal delays stay in the order of the rows */
  char origin[16];
  char destination[16];
};

static int by_delay(const void *a, const void *b) {
  const struct flight *x = a, *y = b;
  if (x->delay != y->delay) return x->delay < y->delay ? 1 : -1;
  return x->row < y->row ? -1 : 1;
}

int main(void) {
  static char line[1024];
  struct flight *flights = NULL;
  size_t count = 0, room = 0;
  if (fgets(line, sizeof line, stdin) == NULL || strcmp(line, "date,delay,distance,origin,destination\n") != 0) {
    fprintf(stderr, "not the header that was expected: %.80s\n", line);
    return 1;
  }
  for (unsigned row = 0; fgets(line, sizeof line, stdin) != NULL; row++) {
    struct flight flight = {.row = row};
    if (sscanf(line, "%*[^,],%ld,%*[^,],%15[^,],%15[^\n]", &flight.delay, flight.origin, flight.destination) != 3)
      continue; /* an empty cell: no delay, or not said from where to where */
    if (count == room) {
      room = room == 0 ? 1024 : 2 * room;
      flights = realloc(flights, room * sizeof *flights);
      if (flights == NULL) return 1;
    }
    flights[count++] = flight;
  }
  qsort(flights, count, sizeof *flights, by_delay);
  for (size_t i = 0; i < count && i < KEPT; i++)
    printf("{\"rank\":%zu,\"delay\":%ld,\"origin\":\"%s\",\"destination\":\"%s\"}\n", i + 1, flights[i].delay, flights[i].origin,
           flights[i].destination);
  return 0;
}
