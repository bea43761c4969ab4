// What June asks of an executor of a language model, and nothing more. TensorRT-LLM's stands behind
// it in shim_trtllm.cpp; the tests have one of their own.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>

#include "rust/cxx.h"

namespace june {

// Shared with Rust: declared in bridge.rs.
struct Generation;
struct Step;
struct Stats;
struct Opening;

// Used by one thread at a time. Any member may throw anything; Rust gets an error of it.
class Executor {
 public:
  Executor() = default;
  Executor(Executor const&) = delete;
  Executor& operator=(Executor const&) = delete;
  virtual ~Executor() = default;

  // Takes a request in, and returns the number by which it is known from now on.
  virtual std::uint64_t submit(Generation const& generation) = 0;

  // Waits until some request has got further, but no longer than this. The last step of each
  // request, cancelled ones included, says that it is the last.
  virtual rust::Vec<Step> await_steps(std::uint32_t milliseconds) = 0;

  // Gives a request up. One that is over, or never was, is no error.
  virtual void cancel(std::uint64_t request) = 0;

  virtual Stats stats() = 0;
};

// TensorRT-LLM's executor on an engine; throws where this June has none.
std::unique_ptr<Executor> open(Opening const& opening);

// The version of TensorRT-LLM that is linked; empty where this June has none.
rust::String library_version();

}  // namespace june

// Every exception becomes an error: also what is no std::exception, which cxx would let through.
namespace rust::behavior {

template <typename Try, typename Fail>
static void trycatch(Try&& attempt, Fail&& fail) noexcept {
  try {
    attempt();
  } catch (std::exception const& error) {
    fail(error.what());
  } catch (...) {
    fail("an exception of an unknown type");
  }
}

}  // namespace rust::behavior
