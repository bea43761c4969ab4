// The C++ side of a June that was built without TensorRT-LLM.

#include <stdexcept>

#include "june-trtllm/src/bridge.rs.h"

namespace june {

std::unique_ptr<Executor> open(Opening const&) {
  throw std::runtime_error("this June was built without TensorRT-LLM");
}

rust::String library_version() { return {}; }

}  // namespace june
