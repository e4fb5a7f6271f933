// SQL scripts of any bytes.
//     clang++ -std=c++20 -fsanitize=fuzzer,address -Isrc tests/fuzz/sql_fuzz.cc ...
#include "sql/tests/sql_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tidemill::FuzzSql(data, size);
  return 0;
}
