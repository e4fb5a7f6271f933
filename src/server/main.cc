#include <malloc.h>

#include "server/command_line.h"

int main(int argc, char** argv) {
  // Requests, answers and batches of some MiB come and go all the time. With glibc's own bounds each of them is memory
  // fetched from the kernel, cleared page by page and given back: half of what serving a Kafka consumer of
  // 100-byte messages costs (at 1 KiB it makes no difference).
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  return tidemill::RunCommandLine(argc, argv);
}
