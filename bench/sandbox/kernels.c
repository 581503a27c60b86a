// Ten small programs of the kinds that pipelines are made of. Each exports its name, which does one round of work and returns a number
// that depends on all of it; some export <name>_setup, which prepares their data and is not measured. Integers only,
// and floats without fused operations, so that every engine gives the same number.
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#define EXPORT(name) __attribute__((export_name(#name)))
#define ROTATE(x, n) (((x) >> (n)) | ((x) << (32 - (n))))

static u8 heap[16 << 20] __attribute__((aligned(64)));

static u32 seed;
static u32 next(void) {
  seed ^= seed << 13;
  seed ^= seed >> 17;
  seed ^= seed << 5;
  return seed;
}

static u8 *put(u8 *at, const char *text) {
  while (*text) *at++ = (u8)*text++;
  return at;
}

// Hashing: SHA-256 over 4 MiB.
static const u32 K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static void compress(u32 *state, const u8 *block) {
  u32 w[64], s[8];
  for (int i = 0; i < 16; i++) w[i] = __builtin_bswap32(((const u32 *)block)[i]);
  for (int i = 16; i < 64; i++) {
    u32 a = w[i - 15], b = w[i - 2];
    w[i] = w[i - 16] + (ROTATE(a, 7) ^ ROTATE(a, 18) ^ (a >> 3)) + w[i - 7] + (ROTATE(b, 17) ^ ROTATE(b, 19) ^ (b >> 10));
  }
  for (int i = 0; i < 8; i++) s[i] = state[i];
  for (int i = 0; i < 64; i++) {
    u32 t1 = s[7] + (ROTATE(s[4], 6) ^ ROTATE(s[4], 11) ^ ROTATE(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + K[i] + w[i];
    u32 t2 = (ROTATE(s[0], 2) ^ ROTATE(s[0], 13) ^ ROTATE(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
    for (int k = 7; k > 0; k--) s[k] = s[k - 1];
    s[4] += t1;
    s[0] = t1 + t2;
  }
  for (int i = 0; i < 8; i++) state[i] += s[i];
}

EXPORT(sha256) double sha256(void) {
  u32 state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  for (u32 at = 0; at < 4 << 20; at += 64) compress(state, heap + (at & 0xfffff));
  return state[0] ^ state[7];
}

// Sorting: quicksort of 200,000 numbers, recursing into the shorter side.
static void quicksort(u32 *a, int left, int right) {
  while (left < right) {
    int i = left, j = right;
    u32 pivot = a[(left + right) >> 1];
    while (i <= j) {
      while (a[i] < pivot) i++;
      while (a[j] > pivot) j--;
      if (i > j) break;
      u32 t = a[i];
      a[i++] = a[j];
      a[j--] = t;
    }
    if (j - left < right - i) {
      quicksort(a, left, j);
      left = i;
    } else {
      quicksort(a, i, right);
      right = j;
    }
  }
}

EXPORT(sort) double sort(void) {
  u32 *a = (u32 *)heap, sum = 0;
  seed = 777;
  for (u32 i = 0; i < 200000; i++) a[i] = next();
  quicksort(a, 0, 199999);
  for (u32 i = 0; i < 200000; i++) sum = sum * 31 + a[i];
  return sum;
}

// Hash map: open addressing, 600,000 updates of 50,000 keys.
EXPORT(hashmap) double hashmap(void) {
  enum { SLOTS = 1 << 17 };
  u32 *keys = (u32 *)heap, *values = keys + SLOTS, sum = 0;
  for (u32 i = 0; i < SLOTS; i++) keys[i] = values[i] = 0;
  seed = 999;
  for (u32 i = 0; i < 600000; i++) {
    u32 key = next() % 50000 + 1, at = (key * 2654435761u) >> 15;
    while (keys[at] && keys[at] != key) at = (at + 1) & (SLOTS - 1);
    keys[at] = key;
    values[at] += i;
  }
  for (u32 i = 0; i < SLOTS; i++) sum = sum * 31 + values[i];
  return sum;
}

// JSON: a recursive descent over an array of 3,000 objects, ten times.
static const u8 *at;
static u32 seen;

static void blanks(void) {
  while (*at == ' ' || *at == '\n') at++;
}

static void text(void) {
  u32 hash = 2166136261u;
  for (at++; *at != '"'; at++) {
    if (*at == '\\') at++;
    hash = (hash ^ *at) * 16777619u;
  }
  at++;
  seen += hash;
}

static void number(void) {
  double value = 0, unit = 0.1;
  int sign = 1;
  if (*at == '-') sign = -1, at++;
  for (; *at >= '0' && *at <= '9'; at++) value = value * 10 + (*at - '0');
  if (*at == '.')
    for (at++; *at >= '0' && *at <= '9'; at++, unit *= 0.1) value += unit * (*at - '0');
  seen += (u32)(int)(value * sign * 100.0);
}

__attribute__((noinline)) static void value(void) {
  blanks();
  u8 open = *at;
  if (open == '{' || open == '[') {
    at++;
    for (blanks(); *at != '}' && *at != ']'; blanks()) {
      value();
      blanks();
      if (*at == ':' || *at == ',') at++;
    }
    at++;
  } else if (open == '"') {
    text();
  } else if (open == 't' || open == 'n') {
    at += 4;
  } else if (open == 'f') {
    at += 5;
  } else {
    number();
  }
}

EXPORT(json_setup) void json_setup(void) {
  u8 *to = heap;
  seed = 4242;
  *to++ = '[';
  for (u32 i = 0; i < 3000; i++) {
    if (i) *to++ = ',';
    to = put(to, "{\"id\": ");
    u32 id = next() % 100000;
    for (u32 unit = 100000; unit; unit /= 10) *to++ = '0' + id / unit % 10;
    to = put(to, ", \"name\": \"user alpha beta\", \"tags\": [\"a\", \"bb\", true, null], \"score\": 12.345}");
  }
  *to++ = ']';
}

EXPORT(json) double json(void) {
  seen = 0;
  for (int i = 0; i < 10; i++) {
    at = heap;
    value();
  }
  return seen;
}

// Recursion: the naive Fibonacci number, nothing but calls.
static u32 fib(u32 n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

static volatile u32 depth = 29;

EXPORT(recursion) double recursion(void) { return fib(depth); }

// Interpreter: bytecode through a jump table.
EXPORT(interpreter) double interpreter(void) {
  static const u8 program[] = {0, 1, 2, 3, 4, 5, 6, 7, 3, 2, 1, 8, 0, 5, 9};
  u32 a = 1, b = 2, c = 3, rounds = 0;
  for (u32 pc = 0; rounds < 500000; pc++) {
    switch (program[pc]) {
      case 0: a += b; break;
      case 1: b ^= a; break;
      case 2: c += a * 3; break;
      case 3: a = ROTATE(a, 5); break;
      case 4: b += c; break;
      case 5: if (a & 1) c++; else b++; break;
      case 6: a -= c; break;
      case 7: b = ROTATE(b, 11); break;
      case 8: c ^= b >> 3; break;
      default: pc = (u32)-1, rounds++;
    }
  }
  return a ^ b ^ c;
}

// Matrix: product of two 160 x 160 matrices of doubles, three times.
EXPORT(matrix) double matrix(void) {
  enum { N = 160 };
  double *a = (double *)heap, *b = a + N * N, *c = b + N * N, sum = 0;
  for (u32 i = 0; i < N * N; i++) a[i] = i % 7 * 0.5, b[i] = i % 11 * 0.25, c[i] = 0;
  for (u32 round = 0; round < 3; round++)
    for (u32 i = 0; i < N; i++)
      for (u32 k = 0; k < N; k++) {
        double x = a[i * N + k];
        for (u32 j = 0; j < N; j++) c[i * N + j] += x * b[k * N + j];
      }
  for (u32 i = 0; i < N * N; i++) sum += c[i];
  return sum;
}

// N-body: five bodies, 40,000 steps.
EXPORT(nbody) double nbody(void) {
  double p[5][3], v[5][3], m[5];
  for (int i = 0; i < 5; i++) {
    m[i] = 1 + i;
    for (int k = 0; k < 3; k++) p[i][k] = i * 1.7 + k * 0.3, v[i][k] = 0.1 * i - 0.05 * k;
  }
  for (u32 step = 0; step < 40000; step++) {
    for (int i = 0; i < 5; i++)
      for (int j = i + 1; j < 5; j++) {
        double d[3], square = 0.01;
        for (int k = 0; k < 3; k++) {
          d[k] = p[i][k] - p[j][k];
          square += d[k] * d[k];
        }
        double pull = 0.001 / (square * __builtin_sqrt(square));
        for (int k = 0; k < 3; k++) {
          v[i][k] -= d[k] * m[j] * pull;
          v[j][k] += d[k] * m[i] * pull;
        }
      }
    for (int i = 0; i < 5; i++)
      for (int k = 0; k < 3; k++) p[i][k] += 0.001 * v[i][k];
  }
  return p[0][0] + v[3][2];
}

// Group-by: mean by key and window over 400,000 rows of three columns, four times.
enum { ROWS = 400000, GROUPS = 65536 };

EXPORT(groupby_setup) void groupby_setup(void) {
  u32 *key = (u32 *)heap, *time = key + ROWS;
  double *amount = (double *)(time + ROWS);
  seed = 31337;
  for (u32 i = 0; i < ROWS; i++) key[i] = next(), time[i] = i / 16, amount[i] = (next() & 0xffff) * 0.25;
}

EXPORT(groupby) double groupby(void) {
  u32 *key = (u32 *)heap, *time = key + ROWS;
  double *amount = (double *)(time + ROWS), *sum = amount + ROWS, mean = 0;
  u32 *count = (u32 *)(sum + GROUPS);
  for (u32 i = 0; i < GROUPS; i++) sum[i] = 0, count[i] = 0;
  for (u32 round = 0; round < 4; round++)
    for (u32 i = 0; i < ROWS; i++) {
      u32 group = (key[i] & 1023) | (((time[i] / 1000) & 63) << 10);
      sum[group] += amount[i];
      count[group]++;
    }
  for (u32 i = 0; i < GROUPS; i++)
    if (count[i]) mean += sum[i] / count[i];
  return mean;
}

// NDJSON: sum of "v" where "ok" is true, over 60,000 lines, three times.
static u32 lines_length;

EXPORT(ndjson_setup) void ndjson_setup(void) {
  u8 *to = heap;
  seed = 555;
  for (u32 i = 0; i < 60000; i++) {
    u32 k = next() % 1000, v = next() % 9000 + 1000;
    to = put(to, "{\"k\":\"key");
    for (u32 unit = 100; unit; unit /= 10) *to++ = '0' + k / unit % 10;
    to = put(to, "\",\"v\":");
    for (u32 unit = 1000; unit; unit /= 10) {
      *to++ = '0' + v / unit % 10;
      if (unit == 100) *to++ = '.';
    }
    to = put(to, v & 1 ? ",\"ok\":true}\n" : ",\"ok\":false}\n");
  }
  lines_length = (u32)(to - heap);
}

static double line(const u8 **from) {
  const u8 *p = *from + 1;
  double v = 0;
  int ok = 0;
  while (*p != '}') {
    const u8 *key = ++p;
    while (*p != '"') p++;
    u32 length = (u32)(p - key);
    p += 2;
    if (length == 1 && *key == 'v') {
      double digits = 0, unit = 1;
      for (; *p >= '0' && *p <= '9'; p++) digits = digits * 10 + (*p - '0');
      if (*p == '.')
        for (p++; *p >= '0' && *p <= '9'; p++, unit *= 10) digits = digits * 10 + (*p - '0');
      v = digits / unit;
    } else if (length == 2 && key[0] == 'o') {
      ok = *p == 't';
      p += ok ? 4 : 5;
    } else {
      for (p++; *p != '"';) p++;
      p++;
    }
    if (*p == ',') p++;
  }
  *from = p + 2;
  return ok ? v : 0;
}

EXPORT(ndjson) double ndjson(void) {
  double sum = 0;
  for (u32 round = 0; round < 3; round++) {
    const u8 *p = heap, *end = heap + lines_length;
    while (p < end) sum += line(&p);
  }
  return sum;
}
