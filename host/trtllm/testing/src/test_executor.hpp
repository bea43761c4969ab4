// An executor without a model; see lib.rs.
#pragma once

#include "june-trtllm/include/executor.hpp"
#include "june-trtllm/src/bridge.rs.h"

namespace june {

std::unique_ptr<Executor> test_executor(bool opens);

}  // namespace june
