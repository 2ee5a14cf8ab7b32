// libFuzzer target: the reader of ONNX files (tests/support/readers.h).
#include <cstddef>
#include <cstdint>

#include "tests/support/readers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  accsim::tests::accepts_onnx({reinterpret_cast<const char*>(data), size});
  return 0;
}
