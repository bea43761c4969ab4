// An executor without a model; see lib.rs.

#include "june-trtllm-testing/src/test_executor.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <stdexcept>
#include <thread>
#include <vector>

namespace june {
namespace {

enum Command : std::int32_t {
  kRefused = 1'000'001,
  kFails,
  kThrows,
  kThrowsAnInt,
  kEndless,
  kCannotCancel,
  kNegative,
};

struct Request {
  std::vector<std::int32_t> answer;
  std::vector<std::int32_t> ends;
  std::size_t most;
  std::int32_t command;
  std::size_t given = 0;
  std::size_t steps = 0;
  bool cancelled = false;
};

class TestExecutor final : public Executor {
 public:
  std::uint64_t submit(Generation const& generation) override {
    std::vector<std::int32_t> prompt(generation.prompt.begin(), generation.prompt.end());
    std::int32_t const command =
        !prompt.empty() && prompt[0] >= kRefused && prompt[0] <= kNegative ? prompt[0] : 0;
    if (command != 0) prompt.erase(prompt.begin());
    if (command == kRefused) throw std::invalid_argument("the request is refused");
    if (command == kNegative) prompt.assign(1, -1);
    Request request{prompt, {generation.ends.begin(), generation.ends.end()},
                    generation.max_tokens, command};
    requests_.emplace(++last_, std::move(request));
    return last_;
  }

  rust::Vec<Step> await_steps(std::uint32_t milliseconds) override {
    ++waits_;
    rust::Vec<Step> steps;
    if (requests_.empty()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
      return steps;
    }
    for (auto entry = requests_.begin(); entry != requests_.end();) {
      Step step = next(entry->first, entry->second);
      bool const last = step.finish != Finish::NotYet;
      steps.push_back(std::move(step));
      entry = last ? requests_.erase(entry) : std::next(entry);
    }
    return steps;
  }

  void cancel(std::uint64_t number) override {
    auto const entry = requests_.find(number);
    if (entry == requests_.end()) return;
    if (entry->second.command == kCannotCancel) throw std::runtime_error("it cannot be cancelled");
    entry->second.cancelled = true;
  }

  Stats stats() override {
    Stats stats{};
    stats.active = requests_.size();
    stats.blocks = waits_;
    stats.blocks_used = requests_.size();
    return stats;
  }

 private:
  static Step next(std::uint64_t number, Request& request) {
    Step step{};
    step.request = number;
    step.finish = Finish::NotYet;
    if (request.cancelled) {
      step.finish = Finish::Cancelled;
      return step;
    }
    if (request.command == kThrows) throw std::runtime_error("the executor is broken");
    if (request.command == kThrowsAnInt) throw 7;
    if (request.command == kFails && request.steps == 1) {
      step.finish = Finish::Failed;
      step.error = "the request failed";
      return step;
    }
    std::size_t const sizes[] = {1, 3, 0, 2};
    std::size_t const size = sizes[request.steps++ % 4];
    for (std::size_t count = 0; count < size; ++count) {
      if (request.given == request.most) break;
      bool const repeats = request.command == kEndless || request.command == kNegative ||
                           request.command == kCannotCancel;
      if (!repeats && request.given == request.answer.size()) {
        step.finish = Finish::End;
        return step;
      }
      auto const token = request.answer.at(repeats ? 0 : request.given);
      ++request.given;
      step.tokens.push_back(token);
      if (std::find(request.ends.begin(), request.ends.end(), token) != request.ends.end()) {
        step.finish = Finish::End;
        return step;
      }
    }
    if (request.given == request.most) step.finish = Finish::Length;
    return step;
  }

  std::map<std::uint64_t, Request> requests_;
  std::uint64_t last_ = 0;
  std::uint64_t waits_ = 0;
};

}  // namespace

std::unique_ptr<Executor> test_executor(bool opens) {
  if (!opens) throw std::runtime_error("the engine is no engine");
  return std::make_unique<TestExecutor>();
}

}  // namespace june
