// A module of the ABI ipdm/1 (docs/reference/abi.md) of kind batch: of the columns `delay` (i32) and `distance` (f64) it puts out one row, the
// sum of the distances of all rows whose delay is above 15. It declares all the memory it needs, so that it never grows.
typedef unsigned char u8;
typedef unsigned int u32;

#define EXPORT(name) __attribute__((export_name(#name)))

static u8 arena[192 << 10] __attribute__((aligned(64)));
static u32 used;
static u32 output[64] __attribute__((aligned(64)));

EXPORT(ipdm_abi) u32 ipdm_abi(void) { return 1; }

EXPORT(ipdm_alloc) u32 ipdm_alloc(u32 bytes) {
  u32 at = used;
  if (bytes > sizeof arena - at) return 0;
  used += (bytes + 63) & ~63u;
  return (u32)(arena + at);
}

EXPORT(ipdm_process) u32 ipdm_process(const u8 *batch, const u8 *descriptor) {
  (void)descriptor;
  const u32 *header = (const u32 *)batch;
  u32 rows = header[3];
  const int *delay = (const int *)(batch + header[16 + 8]);
  const double *distance = (const double *)(batch + header[32 + 8]);
  double sum = 0;
  for (u32 i = 0; i < rows; i++) sum += delay[i] > 15 ? distance[i] : 0;
  // Header, one column named "sum" (f64, one value), its name at 128, its data at 192.
  const u32 head[] = {0x42445049, 1, 256, 1, 1, 128, 3};
  const u32 column[] = {128, 3, 11, 0, 0, 0, 0, 0, 192, 8};
  for (u32 i = 0; i < 7; i++) output[i] = head[i];
  for (u32 i = 0; i < 10; i++) output[16 + i] = column[i];
  output[32] = 's' | 'u' << 8 | 'm' << 16;
  *(double *)(output + 48) = sum;
  return (u32)output;
}
